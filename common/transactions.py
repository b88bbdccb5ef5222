"""Writes that survive a failover: the whole atomic block is tried again, never a part of it.

A database that is being replaced answers with a handful of errors for a few seconds. Retrying the block as a whole on a
new connection hides the gap; it is safe because nothing leaves a block before its commit.
"""

import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog
from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

P = ParamSpec("P")
R = TypeVar("R")

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.5
DEADLINE_S = 15.0
"""Longer than the slowest promotion that was measured with automatic failover of a process."""

PASSING_STATES = frozenset({"57P01", "57P02", "57P03", "25006", "40001", "40P01"})
"""Shut down, crashed, starting up, read-only (a standby), serialization failure, deadlock."""

_log = structlog.get_logger(__name__)

THREADS = 8
"""Each holds a connection, so this is also what one process takes of the database's."""
threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="database")


def is_passing(error: BaseException) -> bool:
    """Whether the same block may succeed in a moment: a lost connection, a failover, a deadlock, a busy SQLite."""
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return state in PASSING_STATES or state.startswith("08")
    text = str(error)
    if type(cause).__module__ == "sqlite3":
        return "locked" in text or "busy" in text
    if type(cause).__name__ == "PoolTimeout":
        return True
    return isinstance(error, OperationalError | InterfaceError)


def atomically(block: Callable[P, R]) -> Callable[P, R]:
    """Run the function in one transaction, and all of it again when the database fails in passing.

    Inside another transaction it is a part of that one (a savepoint), and only the outermost block is tried again.
    After DEADLINE_S the last error is raised.
    """

    @wraps(block)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic():
                return block(*args, **kwargs)
        deadline = time.monotonic() + DEADLINE_S
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                with transaction.atomic():
                    return block(*args, **kwargs)
            except (DatabaseError, InterfaceError) as error:
                if not is_passing(error) or time.monotonic() + pause_s > deadline:
                    raise
                _log.warning("transaction.retried", block=block.__qualname__, reason=type(error).__name__)
                connection.close()
            # Jitter, so that everyone who failed together does not come back together.
            time.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    return run


def off_loop(block: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    """The same function for a coroutine: it runs in one of a few threads kept for the database.

    Not in Django's one shared thread: a block that waits for a failover there would make every socket wait.
    """
    awaited: Callable[P, Awaitable[R]] = database_sync_to_async(block, thread_sensitive=False, executor=threads)
    return awaited

"""Keeps one relay host alive in a media worker: runs in the worker's parent process, in its own event loop.

Celery's redelivery is not a failover (it takes seconds, or never comes); the parent sees its child's death within
milliseconds. It then frees the dead relay's leases, so that nobody waits for them to run out, and starts a new host.
"""

import os
import time
from collections.abc import Callable
from typing import Any

import redis
import structlog
from celery.signals import worker_process_init, worker_ready
from celery.worker import state

from common.store import store
from conference import relays
from conference.hosting import RELEASE, relay_host

log = structlog.get_logger(__name__)

LOOK_S = 0.05
START_PATIENCE_S = 3.0
"""A message that was sent is given this long to start before another is sent."""


class Keeper:
    """Looks after one worker's relay host."""

    def __init__(self, queue: str, bury: Callable[[], object]) -> None:
        self._queue = queue
        self._bury = bury
        self._node = queue.removeprefix("media.")
        self._asked_s = -START_PATIENCE_S
        self._ran = False

    def look(self) -> None:
        """Some times a second: start a host if none runs.

        The pool hears of a death by a pipe that closes a moment before the process can be waited for; when it looks in
        that moment it finds nobody dead, and looks again only seconds later. So it is made to look here.
        """
        self._bury()
        if state.active_requests:
            self._ran = True
            return
        if self._ran:
            self._ran = False
            self._asked_s = -START_PATIENCE_S
            self._free_leases()
        if time.monotonic() - self._asked_s > START_PATIENCE_S and not state.reserved_requests:
            self._asked_s = time.monotonic()
            relay_host.apply_async(queue=self._queue, expires=60, retry=False)

    def _free_leases(self) -> None:
        try:
            text = store().get(relays.node_key(self._node))
            if not text:
                return
            dead = relays.node_decoder.decode(text)
            store().delete(relays.node_key(self._node))
            log.warning("relay.lost", relay_id=dead.relay_id, node=self._node)
            for key in store().scan_iter(match=relays.lease_key("*"), count=500):
                if store().eval(RELEASE, 1, key, dead.relay_id):
                    # Another relay that lives takes it at once; where there is none, the next host of ours finds it.
                    relays.wake(str(key).removeprefix(relays.lease_key("")))
        except redis.exceptions.RedisError as reason:
            log.warning("relay.store.away", reason=str(reason))


@worker_ready.connect
def keep_relay(sender: Any, **_: object) -> None:
    """The worker is up: look after its relay from its own loop (a thread would not survive the pool's forks well)."""
    queue = next(name for name in sender.app.amqp.queues if name.startswith("media."))
    sender.hub.call_repeatedly(LOOK_S, Keeper(queue, sender.pool.maintain_pool).look)


@worker_process_init.connect
def begin_afresh(**_: object) -> None:
    """A pool process opens connections of its own."""
    store.cache_clear()
    os.environ.setdefault("QUORUM_MEDIA_SLOT", "0")

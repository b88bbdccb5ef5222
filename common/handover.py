"""Sockets of a process that is about to end: each is told to move to another process, and then let go.

A kind of socket takes part by calling `enter` when it opens and `leave` when it is gone.
"""

import asyncio
from typing import Protocol
from weakref import WeakSet

import structlog

_log = structlog.get_logger(__name__)


class Moving(Protocol):
    """An open socket."""

    async def hand_over(self, within_ms: int) -> None:
        """Tell the other side to open a new socket within this time, and then to close this one."""

    async def let_go(self) -> None:
        """Hang up, with a code that says to come again."""


_open: "WeakSet[Moving]" = WeakSet()


def enter(socket: Moving) -> None:
    """It is open."""
    _open.add(socket)


def leave(socket: Moving) -> None:
    """It is gone."""
    _open.discard(socket)


async def hand_over(within_ms: int, limit_s: float) -> int:
    """Ask every open socket to move; when they have, or after the limit, hang up on the rest. How many those were."""
    asked = list(_open)
    _log.info("sockets.handed-over", sockets=len(asked), within_ms=within_ms)
    await asyncio.gather(*(socket.hand_over(within_ms) for socket in asked), return_exceptions=True)
    deadline = asyncio.get_running_loop().time() + limit_s
    while _open and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - a matter of seconds, once
        await asyncio.sleep(0.02)
    late = list(_open)
    await asyncio.gather(*(socket.let_go() for socket in late), return_exceptions=True)
    return len(late)

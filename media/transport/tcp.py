"""ICE-TCP (RFC 6544), passive: frames of RFC 4571, one listener for all; strangers are cut off."""

import asyncio
import socket
import time
from collections.abc import Callable

MOST_BYTES = 2048
QUEUE_BYTES = 512 * 1024
"""A reader that has this much waiting is too slow for live media: what is new is dropped, never queued."""
PATIENCE_S = 5.0
"""A connection whose first frame is not there by then is a stranger's."""

MOST_STRANGERS = 256
"""Connections that have shown no good check yet; more are closed at once, or they would eat the descriptors."""

Receive = Callable[[bytes, "TcpPath", int], bool]


class TcpPath(asyncio.Protocol):
    """One TCP connection; the path's key is the object itself. `source` is the peer's address and port.

    `receive(frame, path, now_us)` says whether the path belongs to somebody; if not, it is closed.
    """

    def __init__(self, receive: Receive, closed: Callable[["TcpPath"], None], strangers: set["TcpPath"]) -> None:
        self._receive, self._closed, self._strangers = receive, closed, strangers
        self._waiting = bytearray()
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.source = ("", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the stranger's deadline."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._strangers) >= MOST_STRANGERS:
            return transport.abort()
        self._strangers.add(self)
        self.source = transport.get_extra_info("peername")[:2]
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._deadline = asyncio.get_running_loop().call_later(PATIENCE_S, self.close)
        return None

    def data_received(self, data: bytes) -> None:
        """Cut frames out of the stream (RFC 4571 §2)."""
        now_us = time.monotonic_ns() // 1000
        waiting = self._waiting
        waiting += data
        position = 0
        while len(waiting) - position >= 2:
            size = waiting[position] << 8 | waiting[position + 1]
            if size > MOST_BYTES:
                return self.close()
            if len(waiting) - position < 2 + size:
                break
            frame = bytes(waiting[position + 2 : position + 2 + size])
            position += 2 + size
            if not self._receive(frame, self, now_us):
                return self.close()
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None
                self._strangers.discard(self)
        del waiting[:position]
        return None

    def connection_lost(self, _exc: Exception | None) -> None:
        """Tell that the path is no more."""
        self._strangers.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()
        self._closed(self)

    def sendto(self, data: bytes, _address: object) -> int:
        """Send one frame, as a socket's `sendto` would. Raises BlockingIOError where the reader is too slow or gone."""
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size() > QUEUE_BYTES:
            raise BlockingIOError
        transport.write(len(data).to_bytes(2, "big") + data)
        return len(data)

    def close(self) -> None:
        """End the connection, after what is written."""
        self._waiting.clear()
        if self._transport is not None:
            self._transport.close()


async def listen_tcp(
    address: str, port: int, receive: Receive, closed: Callable[[TcpPath], None], strangers: set[TcpPath]
) -> asyncio.Server:
    """The listener; it keeps in `strangers` who is connected and has not shown a good check.

    Raises OSError where the port is taken.
    """
    return await asyncio.get_running_loop().create_server(lambda: TcpPath(receive, closed, strangers), address, port)

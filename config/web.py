"""The web server: Daphne on a listening socket that somebody else holds, with limits at its edge and a calm end.

The edge (RFC 9112): a request whose headers dawdle is cut off; one whose body is larger than anything we take is
answered 413 (RFC 9110 §15.5.14) before it is read.

The end: on SIGTERM the process accepts nothing more, tells its sockets to open anew (another process has the same
listening socket), finishes the requests under way, and ends when all are gone or LET_GO_S is over. SIGINT ends it at
once.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import structlog
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server  # installs the asyncio reactor, so nothing of Twisted may come before
from twisted.internet import reactor

from common.handover import hand_over

HEADERS_WITHIN_S = 10.0
"""A browser on a bad line sends its headers in one packet or two."""
QUIET_S = 30.0
"""A kept connection without a request is closed after this."""
BODY_BYTES = 8 << 20
"""Above Django's own limit (DATA_UPLOAD_MAX_MEMORY_SIZE), whose answer says more."""
LINGER_S = 2.0
"""A body that is too large is still read and thrown away for so long, or its sender would not see the answer."""
MOVE_WITHIN_MS = 2000
"""So that a thousand pages do not come at once; the page chooses a moment in it."""
LET_GO_S = 4.0
TOO_LARGE = b'{"type":"/problems/body.too-large","title":"Too large.","status":413,"code":"body.too-large"}'

_log = structlog.get_logger(__name__)
_loop: Any = reactor
"""Twisted's word for its event loop; its types are those of interfaces, which fit nowhere."""


class Request(WebRequest):
    """One request, within the limits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._late = _loop.callLater(HEADERS_WITHIN_S, self._hang_up)
        self._read = 0
        self._refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """The headers are complete; `length` is None for a body in chunks."""
        self._in_time()
        super().gotLength(length)
        if length is not None and length > BODY_BYTES:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """A piece of the body."""
        self._read += len(data)
        if self._read > BODY_BYTES and not self._refused:
            self._refuse()
        if not self._refused:
            super().handleContentChunk(data)

    def process(self) -> Any:
        """The request is complete."""
        if self._refused:
            self._hang_up()
            return None
        return super().process()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        """The other side is gone."""
        self._in_time()
        super().connectionLost(reason)

    def _in_time(self) -> None:
        if self._late.active():
            self._late.cancel()

    def _refuse(self) -> None:
        self._refused = True
        head = b"HTTP/1.1 413 Content Too Large\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"
        self.channel.transport.write(head + b"Content-Length: %d\r\n\r\n" % len(TOO_LARGE) + TOO_LARGE)
        self._late = _loop.callLater(LINGER_S, self._hang_up)

    def _hang_up(self) -> None:
        if self.channel is not None:
            self.channel.loseConnection()


class Factory(HTTPFactory):
    """Makes connections whose requests have limits."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.timeOut = QUIET_S

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
        """A new connection."""
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol


class Web:
    """Serves an application on `listening` until SIGTERM or SIGINT; `wrap` makes the factory speak TLS."""

    def __init__(
        self,
        application: Any,
        listening: socket.socket,
        wrap: Callable[[Any], Any],
        ready: Callable[[], None],
        **options: Any,
    ) -> None:
        self._listening = listening
        self._wrap = wrap
        self._ready = ready
        self._port: Any = None
        self._leaving: asyncio.Task[None] | None = None
        # No endpoints by description: `_adopt` brings the socket.
        self._server = Server(
            application,
            endpoints=["adopted"],
            ready_callable=self._adopt,
            signal_handlers=False,
            verbosity=0,
            server_name="quorum",
            **options,
        )
        self._server.endpoints = []

    def run(self) -> None:
        """Return when it has ended."""
        self._server.run()

    def _adopt(self) -> None:
        self._server.http_factory = Factory(self._server)
        self._listening.setblocking(False)
        self._port = _loop.adoptStreamPort(
            self._listening.fileno(), self._listening.family, self._wrap(self._server.http_factory)
        )
        loop = asyncio.get_event_loop()
        loop.add_signal_handler(signal.SIGTERM, self._leave)
        loop.add_signal_handler(signal.SIGINT, self._server.stop)
        self._ready()

    def _leave(self) -> None:
        if self._leaving is None:
            self._leaving = asyncio.get_event_loop().create_task(self._hand_over())

    async def _hand_over(self) -> None:
        deadline = asyncio.get_running_loop().time() + LET_GO_S
        self._port.stopListening()
        late = await hand_over(MOVE_WITHIN_MS, LET_GO_S)
        while self._requests() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - Daphne has no event
            await asyncio.sleep(0.02)
        _log.info("web.handed-over", process_id=os.getpid(), late=late)
        self._server.stop()

    def _requests(self) -> int:
        """Requests under way."""
        connections = self._server.connections.items()
        return sum(isinstance(each, WebRequest) and "disconnected" not in of for each, of in connections)

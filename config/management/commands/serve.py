"""`manage.py serve`: the web process. Daphne on a listening socket that the supervisor holds."""

import os
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.checks import require_migrated, require_safe_settings
from config.environment import environment
from ops.certificate import CERTIFICATE, KEY


class Command(BaseCommand):
    """Serves HTTP and WebSockets until SIGTERM."""

    help = "Serve HTTP and WebSockets."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        """The socket to serve."""
        parser.add_argument("--fd", type=int, required=True, help="a listening TCP socket")

    def handle(self, *_: Any, fd: int, **__: Any) -> None:
        """Serve until told to stop."""
        require_safe_settings()
        require_migrated()
        from daphne.server import Server  # installs the asyncio reactor, so nothing of Twisted may come before
        from twisted.internet import reactor, ssl
        from twisted.protocols.tls import TLSMemoryBIOFactory

        from config.asgi import application

        env = environment()
        listening = socket.socket(fileno=fd)
        listening.setblocking(False)

        def adopt() -> None:
            factory = server.http_factory
            if env.tls:
                key, certificate = (settings.STATE_DIR / name for name in (KEY, CERTIFICATE))
                pair = ssl.PrivateCertificate.loadPEM(  # type: ignore[no-untyped-call]
                    key.read_bytes() + certificate.read_bytes()
                )
                factory = TLSMemoryBIOFactory(pair.options(), False, factory)
            reactor.adoptStreamPort(listening.fileno(), listening.family, factory)

        server = Server(
            application,
            endpoints=["adopted"],
            ready_callable=adopt,
            verbosity=0,
            server_name="quorum",
            websocket_max_message_size=settings.SOCKET_FRAME_BYTES,
            websocket_max_frame_size=settings.SOCKET_FRAME_BYTES,
            proxy_forwarded_address_header="X-Forwarded-For" if settings.PRODUCTION else None,
        )
        server.endpoints = []  # none by description: `adopt` brings the socket, wrapped in TLS where it is asked for
        server.run()
        sys.stdout.flush()
        os._exit(0)  # threads that still serve a request do not hold the end up

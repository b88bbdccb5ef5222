"""`manage.py serve`: the web process, on a listening socket that the supervisor holds."""

import contextlib
import os
import resource
import signal
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import get_resolver

from config.checks import require_migrated, require_safe_settings
from config.environment import environment
from ops.certificate import CERTIFICATE, KEY
from ops.supervision import REPLACES

FILES = 65_536
"""Each socket is one; many systems start a process with room for 1,024."""


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
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        room = FILES if most == resource.RLIM_INFINITY else min(most, FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (room, most))
        from config.asgi import application
        from config.web import Web

        def wrap(factory: Any) -> Any:
            if not environment().tls:
                return factory
            from twisted.internet import ssl
            from twisted.protocols.tls import TLSMemoryBIOFactory

            key, certificate = (settings.STATE_DIR / name for name in (KEY, CERTIFICATE))
            pair = ssl.PrivateCertificate.loadPEM(  # type: ignore[no-untyped-call]
                key.read_bytes() + certificate.read_bytes()
            )
            return TLSMemoryBIOFactory(pair.options(), False, factory)

        def ready() -> None:
            """Load what the first request would wait for, then let the process before this one go."""
            list(get_resolver().url_patterns)
            if before := os.environ.pop(REPLACES, ""):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(before), signal.SIGTERM)

        Web(
            application,
            socket.socket(fileno=fd),
            wrap,
            ready,
            websocket_max_message_size=settings.SOCKET_FRAME_BYTES,
            websocket_max_frame_size=settings.SOCKET_FRAME_BYTES,
            proxy_forwarded_address_header="X-Forwarded-For" if settings.PRODUCTION else None,
        ).run()
        sys.stdout.flush()
        os._exit(0)  # threads that still serve a request do not hold the end up

"""Cross-site WebSockets end here: browsers send cookies with them, and no same-origin policy stops them."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[Any]]


def allowed(headers: dict[bytes, bytes], hosts: list[str], trusted: list[str]) -> bool:
    """Whether a WebSocket handshake with these headers may go on.

    The Origin must be there and be the origin that was asked (or a trusted one), and the host one that we serve (or a
    name that was bound again to our address would pass). A bearer token needs no Origin: no page can send one.
    """
    host = headers.get(b"host", b"").decode("latin-1")
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, hosts):
        return False
    origin = headers.get(b"origin", b"").decode("latin-1")
    if not origin:
        return headers.get(b"authorization", b"").lower().startswith(b"bearer ")
    return urlsplit(origin).netloc.lower() == host.lower() or origin in trusted


class SameOrigin:
    """ASGI middleware that answers 403 to the handshake of a foreign page."""

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> Any:
        """Pass the connection on, or deny it."""
        if allowed(dict(scope["headers"]), settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS):
            return await self.inner(scope, receive, send)
        return await WebsocketDenier()(scope, receive, send)

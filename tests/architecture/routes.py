"""Every address of the project, from the resolver itself: `/api/v1/rooms/{}/`, with `{}` for each variable part."""

import re

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

FOREIGN = ("/admin/", "/i18n/")
"""Django's own; one row each is enough."""


def _shown(pattern: URLPattern | URLResolver) -> str:
    text = str(pattern.pattern)
    return simplify_regex(text).lstrip("/") if isinstance(pattern.pattern, RegexPattern) else text


def _walk(before: str, patterns: list[URLPattern | URLResolver]) -> list[str]:
    found = []
    for pattern in patterns:
        address = before + _shown(pattern)
        if isinstance(pattern, URLResolver) and not address.startswith(FOREIGN):
            found += _walk(address, pattern.url_patterns)
        else:
            found.append(address)
    return found


def variable(address: str) -> str:
    """An address without the names of its variable parts."""
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", address)


def routes() -> list[str]:
    """Pages, REST and sockets."""
    from conference.routing import websocket_urlpatterns

    web = _walk("/", list(get_resolver().url_patterns))
    return sorted({variable(address) for address in web + _walk("/", list(websocket_urlpatterns))})

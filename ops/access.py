"""Who may see how we are: neighbours on named networks, staff, and API keys with the scope `nodes:read`."""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from common.errors import Refusal

SCOPES = {"nodes:read", "nodes:write"}
PROXY_HEADERS = ("X-Forwarded-For", "Forwarded", "Via")


def near(request: HttpRequest) -> bool:
    """Whether the request comes straight from a network of QUORUM_MONITORS.

    A request that a proxy passed on is not near, whatever the proxy's address is.
    """
    if any(header in request.headers for header in PROXY_HEADERS):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in ip_network(network) for network in settings.MONITORS)


def may_monitor(request: HttpRequest) -> bool:
    """Whether the details are for this caller. Without a database only the networks count."""
    if near(request):
        return True
    asked = Request(request, authenticators=[kind() for kind in APIView.authentication_classes])
    try:
        user, key = asked.user, asked.auth
    except (APIException, DatabaseError, Refusal):
        return False
    if key is not None:
        return bool(SCOPES.intersection(getattr(key, "scopes", ())))
    return bool(user and user.is_active and user.is_staff)

"""Who is asking, for REST: `Authorization: Bearer <api key>`, and how far the key reaches."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts import selectors, services
from accounts.models import ApiKey, User
from accounts.scopes import covers
from common.errors import Forbidden, Unknown


class ApiKeyAuthentication(BaseAuthentication):
    """The key's owner asks; `request.auth` is the key."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """Raise Unknown (`api-key.unknown`) for a key that is none, or no longer; None without one."""
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        token = parts[1].decode("latin-1") if len(parts) == 2 else ""
        key = selectors.api_key_of(token)
        if key is None:
            raise Unknown("api-key.unknown", "This API key is unknown or was revoked.")
        services.note_use(key)
        return key.owner, key

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return "Bearer"


class InScope(BasePermission):
    """Signed in, and where by key, within its scopes. Views say `area`; with `open_to_all`, strangers may ask too."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raise Forbidden (`scope.missing`) for a key that does not reach this far."""
        if isinstance(request.auth, ApiKey):
            writing = request.method not in SAFE_METHODS
            if not covers(request.auth.scopes, view.area, writing=writing):
                needed = f"{view.area}:{'write' if writing else 'read'}"
                raise Forbidden("scope.missing", f"This key lacks {needed}.")
        return getattr(view, "open_to_all", False) or request.user.is_authenticated


def name_of(request: Request) -> str:
    """What a signed-in asker is called in journals: an integration by its key, a person by their name."""
    if isinstance(request.auth, ApiKey):
        return request.auth.name
    return request.user.shown_name if request.user.is_authenticated else ""


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The OpenAPI description of the keys."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer"}

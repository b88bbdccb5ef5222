"""Writes to accounts."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from accounts.models import ApiKey, User
from accounts.scopes import SCOPES
from accounts.selectors import TOKEN_MARK, digest_of
from common.clock import now
from common.errors import Malformed, NotFound
from common.transactions import atomically

USE_NOTED_EVERY = timedelta(minutes=1)


@atomically
def create_user(
    *, username: str, password: str | None = None, display_name: str = "", email: str = "", operator: bool = False
) -> User:
    """A new account; without a password nobody can sign in to it."""
    return User.objects.create_user(
        username, email, password, display_name=display_name, is_staff=operator, is_superuser=operator
    )


@atomically
def ensure_operator(*, username: str) -> str | None:
    """Make the first operator and return the password, once; None when there is an operator already."""
    if User.objects.filter(is_staff=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    create_user(username=username, password=password, operator=True)
    return password


@atomically
def create_api_key(*, owner_id: UUID, name: str, scopes: Sequence[str]) -> tuple[ApiKey, str]:
    """A new key and its token, which is shown once and cannot be read again.

    Raises Malformed (`scope.unknown`).
    """
    for scope in scopes:
        if scope not in SCOPES:
            raise Malformed("scope.unknown", f"{scope} is none of {', '.join(SCOPES)}.")
    prefix = secrets.token_hex(4)
    token = f"{TOKEN_MARK}_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        owner_id=owner_id, name=name, prefix=prefix, digest=digest_of(token), scopes=list(scopes)
    )
    return key, token


@atomically
def revoke_api_key(*, key_id: UUID) -> None:
    """From now on the key is unknown. Repeating it changes nothing."""
    if not ApiKey.objects.filter(pk=key_id).exists():
        raise NotFound("api-key.unknown")
    ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=now())


def note_use(key: ApiKey) -> None:
    """Remember that the key was used; at most once a minute, since every request would otherwise be a write."""
    moment = now()
    if key.last_used_at is None or moment - key.last_used_at > USE_NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=moment)

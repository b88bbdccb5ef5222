"""Reads of accounts."""

import hashlib
import hmac
from typing import TYPE_CHECKING
from uuid import UUID

from accounts.models import ApiKey, User
from common.errors import NotFound

if TYPE_CHECKING:
    from django.db.models import QuerySet

TOKEN_MARK = "qk"  # noqa: S105 - the visible start of every key, by which leaked ones are found


def user_by_id(user_id: UUID) -> User:
    """Raise NotFound (`user.unknown`) unless there is such an active user."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise NotFound("user.unknown")
    return user


def user_by_name(username: str) -> User:
    """Raise NotFound (`user.unknown`) unless there is such an active user."""
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise NotFound("user.unknown")
    return user


def digest_of(token: str) -> str:
    """What is kept of a key. A fast hash will do: the secret has 256 bits, nobody guesses it."""
    return hashlib.sha256(token.encode()).hexdigest()


def api_key_of(token: str) -> ApiKey | None:
    """The living key that this token is, if it is one."""
    mark, _, rest = token.partition("_")
    prefix, _, secret = rest.partition("_")
    if mark != TOKEN_MARK or not secret:
        return None
    living: QuerySet[ApiKey] = ApiKey.objects.filter(revoked_at=None, owner__is_active=True).select_related("owner")
    key = living.filter(prefix=prefix).first()
    if key is None or not hmac.compare_digest(key.digest, digest_of(token)):
        return None
    return key

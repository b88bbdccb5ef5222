"""`Idempotency-Key` on POST: a request that is sent again is answered again, not done again.

The key is claimed in a transaction of its own, so that a second request while the first is under way is told so. The
work and its stored answer are one transaction: after a crash there is both or neither.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, ClassVar

import msgspec
from django.db import IntegrityError, transaction
from rest_framework.request import Request
from rest_framework.response import Response

from common.clock import now
from common.errors import Conflict, Malformed, Refusal
from common.limits import address_of
from common.models import IdempotentRequest
from common.transactions import atomically

KEPT = timedelta(hours=24)
ABANDONED = timedelta(seconds=30)
"""Longer than the longest retry of a transaction: whoever claimed the key this long ago is dead."""
KEY_CHARACTERS = 128


class Mismatch(Refusal):
    """The key was used for another request."""

    status: ClassVar[int] = 422


Handler = Callable[..., Response]


def idempotent(handler: Handler) -> Handler:
    """Make a POST handler of a view obey `Idempotency-Key`.

    Raises Conflict (`idempotency.in-progress`), Mismatch (`idempotency.mismatch`), Malformed (`idempotency.key`).
    """

    @wraps(handler)
    def post(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return handler(view, request, *args, **kwargs)
        if len(key) > KEY_CHARACTERS or not key.isprintable():
            raise Malformed("idempotency.key", f"At most {KEY_CHARACTERS} printable characters.")
        owner = str(request.user.pk) if request.user.is_authenticated else address_of(request)
        content = hashlib.sha256(msgspec.json.encode(request.data, order="deterministic")).hexdigest()
        row = _claim(key, owner, request.path, content)
        if row.status is not None:
            return Response(row.answer, status=row.status)

        @atomically
        def work() -> Response:
            response = handler(view, request, *args, **kwargs)
            row.status, row.answer = response.status_code, response.data
            row.save(update_fields=["status", "answer"])
            return response

        try:
            return work()
        except BaseException:
            IdempotentRequest.objects.filter(pk=row.pk, status=None).delete()
            raise

    return post


@atomically
def _claim(key: str, owner: str, route: str, content: str) -> IdempotentRequest:
    moment = now()
    IdempotentRequest.objects.filter(created_at__lt=moment - KEPT).delete()
    IdempotentRequest.objects.filter(
        owner=owner, route=route, key=key, status=None, created_at__lt=moment - ABANDONED
    ).delete()
    try:
        with transaction.atomic():
            return IdempotentRequest.objects.create(
                key=key, owner=owner, route=route, body_hash=content, created_at=moment
            )
    except IntegrityError:
        row = IdempotentRequest.objects.get(owner=owner, route=route, key=key)
    if row.body_hash != content:
        raise Mismatch("idempotency.mismatch", "This key was used for another request.")
    if row.status is None:
        raise Conflict("idempotency.in-progress", "The first request with this key is under way.")
    return row

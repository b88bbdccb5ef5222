"""Every error of the REST interface as problem details (RFC 9457)."""

import math
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import exception_handler

from common.errors import Refusal, Unavailable
from common.metrics import refusals
from common.transactions import is_passing

CONTENT_TYPE = "application/problem+json"

AWAY = Unavailable("database.unavailable", "The database does not answer; try again.", retry_after_s=2)
"""Said by each door for a failure of the database that passes."""

_CODES = {
    exceptions.ParseError: "request.malformed",
    exceptions.NotAuthenticated: "user.unknown",
    exceptions.AuthenticationFailed: "user.unknown",
    exceptions.PermissionDenied: "user.forbidden",
    exceptions.NotFound: "resource.unknown",
    exceptions.MethodNotAllowed: "method.not-allowed",
    exceptions.NotAcceptable: "media-type.not-acceptable",
    exceptions.UnsupportedMediaType: "media-type.unsupported",
    exceptions.Throttled: "requests.too-many",
    exceptions.ValidationError: "request.invalid",
}


class ProblemSerializer(serializers.Serializer[dict[str, Any]]):
    """The body of every error."""

    type = serializers.CharField(help_text="identifies the kind of problem: /problems/ and the code")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="stable, dotted, for programs")
    errors = serializers.DictField(  # type: ignore[assignment]  # RFC 9457's member hides an attribute that is not used
        required=False, help_text="field → what is wrong with it"
    )


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception hook; None lets a defect crash."""
    if isinstance(error, Refusal):
        answer = Response(body(error.status, error.code, error.detail), status=error.status, content_type=CONTENT_TYPE)
        if error.retry_after_s is not None:
            answer["Retry-After"] = str(math.ceil(error.retry_after_s))
        refusals.labels(code=error.code, door="rest").inc()
        return answer
    if isinstance(error, DatabaseError) and is_passing(error):
        return problem(AWAY, context)
    plain = exception_handler(error, context)
    if plain is None:
        return None
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), "request.refused")
    if isinstance(error, exceptions.ValidationError):
        found = error.detail if isinstance(error.detail, dict) else {"request": error.detail}
        plain.data = body(plain.status_code, code, "Some of what was sent is not valid.") | {"errors": found}
    else:
        plain.data = body(plain.status_code, code, str(getattr(error, "detail", code)))
    plain.content_type = CONTENT_TYPE
    refusals.labels(code=code, door="rest").inc()
    return plain


def body(status: int, code: str, title: str) -> dict[str, Any]:
    """Problem details without the optional members."""
    return {"type": f"/problems/{code}", "title": title, "status": status, "code": code}


def no_such_resource(request: HttpRequest, **_: Any) -> JsonResponse:
    """The answer to any address under /api/ that is none."""
    return JsonResponse(body(404, "resource.unknown", "Not found."), status=404, content_type=CONTENT_TYPE)

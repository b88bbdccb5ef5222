"""Pages while the database is away: 503 and a page that tries again by itself, where there would be a 500."""

from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from common.metrics import refusals
from common.problems import AWAY
from common.transactions import is_passing

TRY_AGAIN_S = 3


class DatabaseAway:
    """Middleware. Addresses of the REST interface answer in their own words (`common.problems`)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """No template: what a page is made of may ask the database who looks at it."""
        if not isinstance(error, DatabaseError) or not is_passing(error):
            return None
        refusals.labels(code=AWAY.code, door="page").inc()
        headers = {"Retry-After": str(TRY_AGAIN_S), "Refresh": str(TRY_AGAIN_S), "Cache-Control": "no-store"}
        return HttpResponse(f"{AWAY.detail}\n", status=AWAY.status, content_type="text/plain", headers=headers)

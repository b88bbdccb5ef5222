"""/healthz/live, /healthz/ready and /metrics."""

import os
from dataclasses import asdict

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess

from ops.access import may_monitor
from ops.readiness import look


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process is alive. Depends on nothing and is for everybody."""
    return HttpResponse("alive\n", content_type="text/plain")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """200 when every dependency answers, else 503; which one, only for those who may monitor."""
    found = look()
    ok = all(finding.ok for finding in found.values())
    body: dict[str, object] = {"ready": ok}
    if may_monitor(request):
        body["checks"] = {name: asdict(finding) for name, finding in found.items()}
    answer = JsonResponse(body, status=200 if ok else 503, headers={"Cache-Control": "no-store"})
    answer._has_been_logged = True  # type: ignore[attr-defined]  # a 503 here is an answer, not an error to log
    return answer


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus's text format: this machine's web process, workers, beat and relays together.

    To others there is no such page.
    """
    if not may_monitor(request):
        raise Http404
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

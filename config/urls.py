"""Every address of the project; each app brings its own."""

from importlib import import_module
from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

Patterns = list[URLPattern | URLResolver]


def _of(module: str, name: str) -> Patterns:
    return getattr(import_module(module), name, []) if find_spec(module) else []


urlpatterns: Patterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include(_of("accounts.urls", "urlpatterns"))),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include(_of("rooms.urls", "urlpatterns") + _of("conference.urls", "urlpatterns"))),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("", include(_of("ops.urls", "urlpatterns"))),
    path("", include(_of("rooms.urls", "pages") + _of("conference.urls", "pages"))),
]

"""Every address of the project; each app brings its own."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

import accounts.urls
import conference.urls
import ops.urls
import rooms.urls
from common.problems import no_such_resource

Patterns = list[URLPattern | URLResolver]


urlpatterns: Patterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include(accounts.urls)),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include([*rooms.urls.urlpatterns, *conference.urls.urlpatterns])),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    re_path("^api/", no_such_resource),
    path("", include(ops.urls)),
    path("", include([*rooms.urls.pages, *conference.urls.pages])),
]

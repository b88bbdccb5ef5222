"""The admin site of operators, at /admin/."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, path, reverse


class Site(AdminSite):
    """Django's admin under our name, and pages about what is in no table."""

    site_title = "Quorum"
    site_header = "Quorum"
    index_title = "Quorum"
    enable_nav_sidebar = True

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Django's, and the media workers."""
        from conference.admin import nodes_page  # models are loaded by now, not when this module is

        own: list[URLPattern | URLResolver] = [path("nodes/", self.admin_view(nodes_page), name="nodes")]
        return own + super().get_urls()

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Django's, and the media workers."""
        found = super().get_app_list(request, app_label)
        if app_label is None and self.has_permission(request):
            address = reverse("admin:nodes")
            page: dict[str, Any] = {
                "name": "Media workers",
                "object_name": "Node",
                "admin_url": address,
                "add_url": None,
                "perms": {},
            }
            group = {"name": "Nodes", "app_label": "nodes", "app_url": address, "has_module_perms": True}
            found.append({**group, "models": [{**page, "view_only": True}]})
        return found

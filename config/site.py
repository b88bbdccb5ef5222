"""The admin site of operators, at /admin/."""

from django.contrib.admin import AdminSite


class Site(AdminSite):
    """Django's admin under our name."""

    site_title = "Quorum"
    site_header = "Quorum"
    index_title = "Quorum"
    enable_nav_sidebar = True

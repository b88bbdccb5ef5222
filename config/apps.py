"""The two Django apps that belong to the project as a whole."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    """Django's admin with our own site."""

    default_site = "config.site.Site"


class QuorumConfig(AppConfig):
    """The project's commands and checks."""

    name = "config"
    label = "quorum"
    verbose_name = "Quorum"

    def ready(self) -> None:
        """Register the checks of production mode."""
        from config import checks  # noqa: F401

"""The caretaker as a Django app."""

from django.apps import AppConfig


class OpsConfig(AppConfig):
    """Registers the checks of what every app needs."""

    name = "ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Register them."""
        from common.probes import register
        from ops import probes

        register("database", probes.database)
        register("migrations", probes.migrations)
        register("store", probes.store_answers)
        register("broker", probes.broker)
        register("workers", probes.workers)

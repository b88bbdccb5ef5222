"""Meetings as a Django app."""

from django.apps import AppConfig


class ConferenceConfig(AppConfig):
    """Registers the check of what meetings need."""

    name = "conference"

    def ready(self) -> None:
        """Register it."""
        from common.probes import register
        from conference import probes

        register("media", probes.media)

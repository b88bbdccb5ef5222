"""The wall clock of the control plane. Pure code takes time as an argument and never imports this."""

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return timezone.now()

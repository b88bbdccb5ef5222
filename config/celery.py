"""The Celery application of the workers (beat has config.timetable)."""

import os

from celery import Celery
from celery.signals import celeryd_init, setup_logging, worker_process_init

from ops.supervision import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("quorum")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Django has set logging up; a receiver here keeps Celery from doing it again."""


@celeryd_init.connect
def refuse_unsafe_starts(**_: object) -> None:
    """Production's settings, and tables of this version, before the first job."""
    import django

    django.setup()
    from config.checks import require_migrated, require_safe_settings

    require_safe_settings(pages=False)
    require_migrated()


@worker_process_init.connect
def end_with_worker(**_: object) -> None:
    """A pool process whose worker was killed would carry its meetings on beside their next relay."""
    die_with_parent()

"""The Celery application: broker, workers' habits, the timetable."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("quorum")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "sweep-absent": {"task": "conference.tasks.sweep_absent", "schedule": 2.0, "options": {"expires": 4}},
    "heartbeat": {"task": "ops.tasks.beat_heart", "schedule": 5.0, "options": {"expires": 10}},
}


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Django has set logging up; a receiver here keeps Celery from doing it again."""

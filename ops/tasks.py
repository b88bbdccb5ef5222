"""The caretaker's jobs."""

import time

from celery import shared_task

from common.store import store
from ops.probes import HEART, HEART_LIMIT_S


@shared_task
def beat_heart() -> None:
    """Prove that beat, broker and a worker live (see ops.probes.workers)."""
    store().set(HEART, repr(time.time()), ex=int(HEART_LIMIT_S * 3))

"""Background work of rooms."""

import structlog
from celery import shared_task

from common.clock import now
from rooms import inventory

_log = structlog.get_logger(__name__)


@shared_task(name="rooms.tasks.sweep_devices", ignore_result=True)
def sweep_devices() -> None:
    """Every 10 s: devices that say nothing any more are offline."""
    silent = inventory.note_silence(at=now())
    if silent:
        _log.info("devices.silent", devices=silent)

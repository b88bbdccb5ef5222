"""Background work of meetings."""

import redis.exceptions
import structlog
from celery import shared_task

from common.clock import now
from conference import metrics, nodes, presence, selectors, services

_log = structlog.get_logger(__name__)


@shared_task(name="conference.tasks.sweep_absent", ignore_result=True)
def sweep_absent() -> None:
    """Every 2 s: let go whom neither socket nor media has seen, end what nobody needs any more.

    Without Redis nobody can tell who is absent, so nothing is decided.
    """
    moment = now()
    present = selectors.present_ids()
    people = [participant_id for ids in present.values() for participant_id in ids]
    metrics.participants_present.set(len(people))
    try:
        absent = presence.absent(people)
    except (redis.exceptions.RedisError, OSError) as reason:
        _log.warning("sweep.skipped", reason=type(reason).__name__)
        return
    marked = selectors.marked_absent()
    running = selectors.open_meetings()
    metrics.meetings_open.set(len(running))
    for meeting_id, _node, _epoch in running:
        ids = set(present.get(meeting_id, ()))
        if not ids:
            if services.end_if_empty(meeting_id=meeting_id, at=moment):
                _log.info("meeting.ended", meeting_id=str(meeting_id), reason="empty")
        elif ids & (absent | marked):
            lost = services.note_absence(meeting_id=meeting_id, absent=ids & absent, at=moment)
            if lost:
                _log.info("participants.lost", meeting_id=str(meeting_id), people=lost)


@shared_task(name="conference.tasks.empty_draining", ignore_result=True)
def empty_draining() -> None:
    """Every 2 s: move what drained media workers still carry."""
    try:
        told = nodes.empty_draining()
    except redis.exceptions.RedisError as reason:
        _log.warning("draining.skipped", reason=type(reason).__name__)
        return
    if told:
        _log.info("meetings.told-to-move", meetings=told)

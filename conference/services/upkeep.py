"""What nobody asks for: relays take meetings, the sweep lets go whom nobody sees."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.db.models import Max

from common.clock import now
from common.transactions import atomically
from conference import protocol
from conference.journal import announce
from conference.selectors import SERVER
from conference.services.entry import end_now
from conference.services.lobby import leave_waiting
from conference.services.shared import State, locked, opened, take_out

MoveReason = Literal["opened", "taken-over", "drained"]
LOST_AFTER = timedelta(seconds=10)
"""After presence itself ran out (5 s): someone is gone 15 s after both socket and media are."""
WAIT_AT_MOST = timedelta(minutes=15)
"""In the waiting room; whoever still wants to come in then asks again."""
EMPTY_FOR = timedelta(minutes=5)
"""An empty meeting ends; long enough for everybody to reload after an outage."""


@atomically
def claim_meeting(*, meeting_id: UUID, node: str, reason: MoveReason | None = None) -> int:
    """A relay takes the meeting; the new epoch, which fences every earlier one.

    Without a reason it is the first one's opening or a takeover. Raises NotFound (`meeting.unknown`), Conflict
    (`meeting.over`).
    """
    meeting = opened(meeting_id)
    why: MoveReason = reason or ("taken-over" if meeting.relay_epoch else "opened")
    meeting.relay_epoch += 1
    meeting.relay_node = node
    meeting.save(update_fields=["relay_epoch", "relay_node"])
    epoch = meeting.relay_epoch
    announce(meeting, now(), lambda sequence, at: protocol.Moved(sequence=sequence, at=at, epoch=epoch, reason=why))
    return epoch


@atomically
def note_absence(*, meeting_id: UUID, absent: set[UUID], at: datetime) -> int:
    """Write down who is absent as of `at`, and let go who was absent, or waited, for too long; how many were let go."""
    meeting = locked(meeting_id)
    if meeting.ended_at is not None:
        return 0
    present = meeting.participants.filter(state__in=(State.PRESENT, State.WAITING))
    present.filter(absent_since__isnull=False).exclude(pk__in=absent).update(absent_since=None)
    present.filter(absent_since=None, pk__in=absent).update(absent_since=at)
    lost = list(present.filter(pk__in=absent, absent_since__lte=at - LOST_AFTER))
    for participant in lost:
        if participant.state == State.WAITING:
            leave_waiting(meeting, participant, State.LEFT)
        else:
            take_out(meeting, participant, State.LOST, "lost")
    tired = meeting.participants.filter(state=State.WAITING, invited_at__lte=at - WAIT_AT_MOST)
    for participant in tired:
        leave_waiting(meeting, participant, State.DENIED)
    return len(lost)


@atomically
def end_if_empty(*, meeting_id: UUID, at: datetime) -> bool:
    """End a meeting in which nobody was for EMPTY_FOR."""
    meeting = locked(meeting_id)
    if meeting.ended_at is not None or meeting.participants.filter(state=State.PRESENT).exists():
        return False
    last = meeting.participants.aggregate(left=Max("left_at"), invited=Max("invited_at"))
    times = (meeting.started_at, last["left"], last["invited"])
    if max(moment for moment in times if moment is not None) > at - EMPTY_FOR:
        return False
    end_now(meeting, by=SERVER.name)
    return True

"""What the writes to meetings have in common: the meeting's lock, and whom a verb is about."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import transaction

from common.clock import now
from common.errors import Conflict, Forbidden, Malformed, NotFound
from conference import protocol, relays
from conference.journal import announce
from conference.models import Meeting, Participant
from conference.selectors import Standing, require_present
from rooms.selectors import HOSTS

Outcome = Literal["applied", "requested"]
LeaveReason = Literal["left", "lost", "removed", "banned", "lobby"]
State = Participant.State

NAME_CHARACTERS = 80
ARRANGING = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C, 0x200E, 0x200F)}
"""Marks that turn the direction of text (UAX 9): in a name they would rearrange the words beside it."""


def locked(meeting_id: UUID) -> Meeting:
    """The meeting, for this transaction alone. Raise NotFound (`meeting.unknown`)."""
    meeting = Meeting.objects.select_for_update().filter(pk=meeting_id).first()
    if meeting is None:
        raise NotFound("meeting.unknown", "There is no such meeting.")
    return meeting


def opened(meeting_id: UUID) -> Meeting:
    """The same, of a meeting that runs. Raise Conflict (`meeting.over`)."""
    meeting = locked(meeting_id)
    if meeting.ended_at is not None:
        raise Conflict("meeting.over", "The meeting is over.")
    return meeting


def require_seat(meeting: Meeting, capacity: int) -> None:
    """Raise Conflict (`meeting.full`)."""
    if meeting.participants.filter(state=State.PRESENT).count() >= capacity:
        raise Conflict("meeting.full", "Every seat is taken.")


def wake(meeting_id: UUID) -> None:
    """Once this transaction has committed the relay reads its plan."""
    call: Callable[[], None] = lambda: relays.wake(meeting_id)  # noqa: E731 - `on_commit` wants no arguments
    transaction.on_commit(call, robust=True)


def named(name: str) -> str:
    """A name as it is kept. Raise Malformed (`participant.name`)."""
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME_CHARACTERS or ARRANGING & set(name) or not _shown(name):
        raise Malformed("participant.name", f"A name has 1 to {NAME_CHARACTERS} printable characters.")
    return name


def _shown(name: str) -> bool:
    # Joiners hold emoji and some scripts together, although they print nothing.
    return name.replace("\u200d", "").replace("\u200c", "").isprintable()


def commanded(meeting: Meeting, standing: Standing, participant_id: UUID) -> Participant:
    """Whom a verb is about. Raise NotFound (`participant.unknown`), Forbidden (`meeting.host-only`)."""
    participant = require_present(meeting, participant_id)
    if not standing.host and not is_self(standing, participant):
        raise Forbidden("meeting.host-only", "Only hosts may do this to others.")
    return participant


def is_self(standing: Standing, participant: Participant) -> bool:
    """Whether somebody asks about themselves."""
    return standing.participant is not None and standing.participant.pk == participant.pk


def require_owner(standing: Standing, participant: Participant) -> None:
    """Raise Forbidden (`participant.host`): what co-hosts may do, they may not do to hosts."""
    if participant.role == HOSTS[0] and not standing.owner:
        raise Forbidden("participant.host", "Only a host may do this to a host.")


def take_out(
    meeting: Meeting, participant: Participant, state: Participant.State, reason: LeaveReason, by: str = ""
) -> None:
    """Somebody is in the meeting no more: nothing of theirs is shared, shown or spotlighted."""
    moment: datetime = now()
    participant.state, participant.left_at, participant.absent_since = state, moment, None
    participant.sharing, participant.hand_raised_at = False, None
    participant.save(update_fields=["state", "left_at", "absent_since", "sharing", "hand_raised_at"])
    if meeting.spotlight == participant.pk:
        meeting.spotlight = None
        meeting.save(update_fields=["spotlight"])
    gone = str(participant.pk)
    announce(
        meeting,
        moment,
        lambda sequence, at: protocol.Left(sequence=sequence, at=at, participant_id=gone, reason=reason, by=by),
    )
    wake(meeting.pk)

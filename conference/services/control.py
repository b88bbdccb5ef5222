"""Microphones, cameras, screens and hands."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from common.clock import now
from common.errors import Forbidden
from common.events import publish_passing_on_commit
from common.transactions import atomically
from common.wire import encode
from conference import protocol
from conference.journal import announce
from conference.models import Meeting, Participant
from conference.selectors import Actor, Standing, group_of, standing_of
from conference.services.shared import Outcome, commanded, is_self, opened, wake
from rooms.inventory import is_preconsented


@atomically
def set_muted(*, actor: Actor, meeting_id: UUID, participant_id: UUID, muted: bool) -> Outcome:
    """Mute somebody, or let them be heard again. Idempotent.

    Oneself: always. Others: hosts may mute; to be heard again somebody is asked, since only they can want it,
    unless it is a device of a room that consented to be commanded.
    Raises NotFound, Forbidden (`meeting.host-only`), Conflict (`meeting.over`).
    """
    meeting = opened(meeting_id)
    standing = standing_of(meeting, actor)
    participant = commanded(meeting, standing, participant_id)
    if participant.muted == muted:
        return "applied"
    if not muted and not is_self(standing, participant) and not is_preconsented(participant.pk):
        return _request(participant, "unmute", standing)
    silence(meeting, participant, muted, standing.by)
    wake(meeting.pk)
    return "applied"


@atomically
def set_camera(*, actor: Actor, meeting_id: UUID, participant_id: UUID, on: bool) -> Outcome:
    """Switch somebody's camera. The same rules as `set_muted`: off is a command, on is a request."""
    meeting = opened(meeting_id)
    standing = standing_of(meeting, actor)
    participant = commanded(meeting, standing, participant_id)
    if participant.camera_on == on:
        return "applied"
    if on and not is_self(standing, participant) and not is_preconsented(participant.pk):
        return _request(participant, "camera-on", standing)
    participant.camera_on = on
    participant.save(update_fields=["camera_on"])
    switched = str(participant.pk)
    announce(
        meeting,
        now(),
        lambda sequence, at: protocol.CameraSwitched(
            sequence=sequence, at=at, participant_id=switched, on=on, by=standing.by
        ),
    )
    wake(meeting.pk)
    return "applied"


@atomically
def set_screen(*, actor: Actor, meeting_id: UUID, participant_id: UUID, on: bool) -> None:
    """Begin or end sharing a screen. Idempotent.

    Oneself: always. Others: hosts may end it; nobody begins it for them. Raises NotFound, Forbidden
    (`meeting.host-only`, `screen.own-only`), Conflict (`meeting.over`).
    """
    meeting = opened(meeting_id)
    standing = standing_of(meeting, actor)
    participant = commanded(meeting, standing, participant_id)
    if participant.sharing == on:
        return
    if on and not is_self(standing, participant):
        raise Forbidden("screen.own-only", "Only they themselves can share their screen.")
    participant.sharing = on
    participant.save(update_fields=["sharing"])
    shared = str(participant.pk)
    announce(
        meeting,
        now(),
        lambda sequence, at: protocol.ScreenSwitched(
            sequence=sequence, at=at, participant_id=shared, on=on, by=standing.by
        ),
    )
    wake(meeting.pk)


@atomically
def raise_hand(*, actor: Actor, meeting_id: UUID, participant_id: UUID, raised: bool) -> None:
    """Raise or lower a hand; a hand that is up keeps its place. Idempotent.

    Oneself: always. Others: hosts may lower it; nobody raises it for them. Raises NotFound, Forbidden
    (`meeting.host-only`, `hand.own-only`), Conflict (`meeting.over`).
    """
    meeting = opened(meeting_id)
    standing = standing_of(meeting, actor)
    participant = commanded(meeting, standing, participant_id)
    if (participant.hand_raised_at is not None) == raised:
        return
    if raised and not is_self(standing, participant):
        raise Forbidden("hand.own-only", "Only they themselves can raise their hand.")
    place_hand(meeting, participant, now() if raised else None, standing.by)


def place_hand(meeting: Meeting, participant: Participant, raised_at: datetime | None, by: str) -> None:
    """Somebody's hand, written and told: down, or up since then."""
    participant.hand_raised_at = raised_at
    participant.save(update_fields=["hand_raised_at"])
    whose, raised = str(participant.pk), raised_at is not None
    announce(
        meeting,
        raised_at or now(),
        lambda sequence, at: protocol.HandRaised(sequence=sequence, at=at, participant_id=whose, raised=raised, by=by),
    )


def silence(meeting: Meeting, participant: Participant, muted: bool, by: str) -> None:
    """What is wished of somebody's microphone, written and told."""
    participant.muted = muted
    participant.save(update_fields=["muted"])
    changed = str(participant.pk)
    announce(
        meeting,
        now(),
        lambda sequence, at: protocol.Muted(sequence=sequence, at=at, participant_id=changed, muted=muted, by=by),
    )


def _request(participant: Participant, what: Literal["unmute", "camera-on"], standing: Standing) -> Outcome:
    publish_passing_on_commit(group_of(participant.pk), encode(protocol.Requested(what=what, by=standing.by)))
    return "requested"

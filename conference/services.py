"""Writes to meetings: one verb, one transaction, one line in the journal.

Each locks the meeting, passes its gate, writes what ought to be, and tells it. After the commit the browsers hear the
line and the relay is woken, independently of each other; neither is waited for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max

from accounts import tickets
from common.clock import now
from common.errors import Conflict, Forbidden, Malformed, NotFound, Unknown
from common.events import publish_passing_on_commit
from common.transactions import atomically
from common.wire import encode
from conference import protocol, relays
from conference.journal import announce
from conference.models import ChatMessage, Meeting, Participant
from conference.selectors import (
    SERVER,
    Actor,
    Standing,
    group_of,
    open_meeting_of,
    person_of,
    require_control,
    require_present,
    role_word,
    standing_of,
)
from rooms.selectors import HOSTS, role_in, room_by_slug

Outcome = Literal["applied", "requested"]
LeaveReason = Literal["left", "lost", "removed"]
MoveReason = Literal["opened", "taken-over", "drained"]
State = Participant.State

NAME_CHARACTERS = 80
LOST_AFTER = timedelta(seconds=10)
"""After presence itself ran out (5 s): someone is gone 15 s after both socket and media are."""
EMPTY_FOR = timedelta(minutes=5)
"""An empty meeting ends; long enough for everybody to reload after an outage."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What somebody is given who may enter."""

    ticket: str
    meeting_id: UUID
    participant_id: UUID
    role: protocol.Role


@dataclass(frozen=True, slots=True)
class Entrance:
    """What somebody is told who entered."""

    meeting_id: UUID
    participant_id: UUID
    role: protocol.Role
    room_slug: str
    room_title: str


# --- start and end ----------------------------------------------------------------------------------------------------
@atomically
def start_meeting(*, actor: Actor, slug: str) -> tuple[Meeting, bool]:
    """Start a meeting in a room; True when it did not run yet.

    Raises NotFound (`room.unknown`), Forbidden (`meeting.host-only`) where only hosts may.
    """
    room = room_by_slug(slug)
    role = role_in(room_id=room.pk, user_id=actor.user_id)
    if role is None and not actor.operator and not room.guests_allowed:
        raise NotFound("room.unknown", "There is no such room.")
    may = actor.operator or role in HOSTS or room.anyone_may_start
    if (running := open_meeting_of(room.pk)) is not None and (may or role is not None):
        return running, False
    if not may:
        raise Forbidden("meeting.host-only", "Only hosts may start a meeting in this room.")
    moment = now()
    try:
        with transaction.atomic():
            meeting = Meeting.objects.create(room_id=room.pk, started_at=moment)
    except IntegrityError:
        # Another host was faster: one open meeting per room.
        return Meeting.objects.get(room_id=room.pk, ended_at=None), False
    by = "operator" if actor.operator and role is None else actor.name
    announce(meeting, moment, lambda sequence, at: protocol.Started(sequence=sequence, at=at, by=by))
    _wake(meeting.pk)
    return meeting, True


@atomically
def end_meeting(*, actor: Actor, meeting_id: UUID) -> Meeting:
    """End it for everybody. Ending it again changes nothing. Raises NotFound, Forbidden (`meeting.host-only`)."""
    meeting = _locked(meeting_id)
    if meeting.ended_at is not None:
        # Nobody is inside any more, so a participant's own standing cannot be asked for.
        if actor.participant_id is None:
            require_control(meeting, actor)
        return meeting
    _end(meeting, by=require_control(meeting, actor).by)
    return meeting


def _end(meeting: Meeting, by: str) -> None:
    moment = now()
    meeting.ended_at = moment
    meeting.save(update_fields=["ended_at"])
    meeting.participants.filter(state=State.PRESENT).update(
        state=State.LEFT, left_at=moment, sharing=False, hand_raised_at=None
    )
    announce(meeting, moment, lambda sequence, at: protocol.Ended(sequence=sequence, at=at, by=by))
    _wake(meeting.pk)


# --- come and go ------------------------------------------------------------------------------------------------------
@atomically
def issue_ticket(*, actor: Actor, slug: str, name: str) -> Admission:
    """Let somebody, with or without an account, into the meeting of a room; whoever may start it, starts it so.

    Raises NotFound (`room.unknown`, also for strangers where guests are not allowed), Malformed (`participant.name`),
    Conflict (`meeting.not-started`, `meeting.full`).
    """
    room = room_by_slug(slug)
    name = _named(name)
    role = role_in(room_id=room.pk, user_id=actor.user_id)
    if role is None and not room.guests_allowed and not actor.operator:
        raise NotFound("room.unknown", "There is no such room.")
    meeting = open_meeting_of(room.pk)
    if meeting is None:
        if role not in HOSTS and not room.anyone_may_start:
            raise Conflict("meeting.not-started", "The meeting has not started yet.")
        by = actor if actor.name else Actor(actor.user_id, actor.participant_id, actor.operator, name)
        meeting, _ = start_meeting(actor=by, slug=slug)
    meeting = _locked(meeting.pk)
    if meeting.ended_at is not None:
        raise Conflict("meeting.over", "The meeting is over.")
    role = role_in(room_id=room.pk, user_id=actor.user_id, meeting_id=meeting.pk)
    _require_seat(meeting, room.capacity)
    moment = now()
    word = role_word(role or "guest")
    participant = Participant.objects.create(
        meeting=meeting,
        user_id=actor.user_id,
        name=name,
        role=word,
        muted=room.mute_on_entry and role not in HOSTS,
        invited_at=moment,
    )
    ticket = tickets.sign(tickets.Ticket(participant.pk, meeting.pk, word, moment + tickets.LIFETIME))
    return Admission(ticket, meeting.pk, participant.pk, word)


@atomically
def join_meeting(*, ticket: str, meeting_id: UUID) -> Entrance:
    """The bearer of the ticket enters, or is back. Coming twice is told once.

    Raises Unknown (`ticket.invalid`, `ticket.expired`, `ticket.revoked`), NotFound (`meeting.unknown`), Conflict
    (`meeting.over`, `meeting.full`).
    """
    moment = now()
    proved = tickets.read(ticket, meeting_id=meeting_id, now=moment)
    meeting = _locked(meeting_id)
    participant = meeting.participants.filter(pk=proved.participant_id).first()
    if participant is None:
        raise Unknown("ticket.invalid", "This ticket is not one of ours.")
    if meeting.ended_at is not None:
        raise Conflict("meeting.over", "The meeting is over.")
    if participant.state in (State.LEFT, State.REMOVED):
        raise Unknown("ticket.revoked", "You have left this meeting.")
    if participant.state != State.PRESENT:
        _require_seat(meeting, meeting.room.capacity)
        participant.state, participant.joined_at, participant.left_at = State.PRESENT, moment, None
        participant.absent_since = None
        participant.save(update_fields=["state", "joined_at", "left_at", "absent_since"])
        person = person_of(participant)
        announce(meeting, moment, lambda sequence, at: protocol.Joined(sequence=sequence, at=at, person=person))
        _wake(meeting.pk)
    return Entrance(meeting.pk, participant.pk, role_word(participant.role), meeting.room.slug, meeting.room.title)


@atomically
def leave_meeting(*, meeting_id: UUID, participant_id: UUID) -> None:
    """Go by one's own will: the ticket is used up. Repeating it changes nothing."""
    meeting = _locked(meeting_id)
    participant = meeting.participants.filter(pk=participant_id, state=State.PRESENT).first()
    if participant is not None and meeting.ended_at is None:
        _remove(meeting, participant, State.LEFT, "left")


@atomically
def remove_participant(*, actor: Actor, meeting_id: UUID, participant_id: UUID) -> None:
    """Send somebody out. Raises NotFound, Forbidden (`meeting.host-only`), Conflict (`meeting.over`)."""
    meeting = _open(meeting_id)
    require_control(meeting, actor)
    _remove(meeting, require_present(meeting, participant_id), State.REMOVED, "removed")


def _remove(meeting: Meeting, participant: Participant, state: Participant.State, reason: LeaveReason) -> None:
    moment = now()
    participant.state, participant.left_at, participant.absent_since = state, moment, None
    participant.sharing, participant.hand_raised_at = False, None
    participant.save(update_fields=["state", "left_at", "absent_since", "sharing", "hand_raised_at"])
    gone = str(participant.pk)
    announce(
        meeting,
        moment,
        lambda sequence, at: protocol.Left(sequence=sequence, at=at, participant_id=gone, reason=reason),
    )
    _wake(meeting.pk)


# --- microphones, cameras, screens, hands -----------------------------------------------------------------------------
@atomically
def set_muted(*, actor: Actor, meeting_id: UUID, participant_id: UUID, muted: bool) -> Outcome:
    """Mute somebody, or let them be heard again. Idempotent.

    Oneself: always. Others: hosts may mute; to be heard again somebody is asked, since only they can want it.
    Raises NotFound, Forbidden (`meeting.host-only`), Conflict (`meeting.over`).
    """
    meeting = _open(meeting_id)
    standing = standing_of(meeting, actor)
    participant = _commanded(meeting, standing, participant_id)
    if participant.muted == muted:
        return "applied"
    if not muted and not _is_self(standing, participant):
        return _request(participant, "unmute", standing)
    _mute(meeting, participant, muted, standing.by)
    _wake(meeting.pk)
    return "applied"


@atomically
def set_camera(*, actor: Actor, meeting_id: UUID, participant_id: UUID, on: bool) -> Outcome:
    """Switch somebody's camera. The same rules as `set_muted`: off is a command, on is a request."""
    meeting = _open(meeting_id)
    standing = standing_of(meeting, actor)
    participant = _commanded(meeting, standing, participant_id)
    if participant.camera_on == on:
        return "applied"
    if on and not _is_self(standing, participant):
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
    _wake(meeting.pk)
    return "applied"


@atomically
def set_screen(*, actor: Actor, meeting_id: UUID, participant_id: UUID, on: bool) -> None:
    """Begin or end sharing a screen. Idempotent.

    Oneself: always. Others: hosts may end it; nobody begins it for them. Raises NotFound, Forbidden
    (`meeting.host-only`, `screen.own-only`), Conflict (`meeting.over`).
    """
    meeting = _open(meeting_id)
    standing = standing_of(meeting, actor)
    participant = _commanded(meeting, standing, participant_id)
    if participant.sharing == on:
        return
    if on and not _is_self(standing, participant):
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
    _wake(meeting.pk)


@atomically
def raise_hand(*, actor: Actor, meeting_id: UUID, participant_id: UUID, raised: bool) -> None:
    """Raise or lower a hand; a hand that is up keeps its place. Idempotent.

    Oneself: always. Others: hosts may lower it; nobody raises it for them. Raises NotFound, Forbidden
    (`meeting.host-only`, `hand.own-only`), Conflict (`meeting.over`).
    """
    meeting = _open(meeting_id)
    standing = standing_of(meeting, actor)
    participant = _commanded(meeting, standing, participant_id)
    if (participant.hand_raised_at is not None) == raised:
        return
    if raised and not _is_self(standing, participant):
        raise Forbidden("hand.own-only", "Only they themselves can raise their hand.")
    moment = now()
    participant.hand_raised_at = moment if raised else None
    participant.save(update_fields=["hand_raised_at"])
    whose = str(participant.pk)
    announce(
        meeting,
        moment,
        lambda sequence, at: protocol.HandRaised(
            sequence=sequence, at=at, participant_id=whose, raised=raised, by=standing.by
        ),
    )


@atomically
def mute_all(*, actor: Actor, meeting_id: UUID) -> int:
    """Mute everybody but the actor; how many were. Raises NotFound, Forbidden (`meeting.host-only`), Conflict."""
    meeting = _open(meeting_id)
    standing = require_control(meeting, actor)
    heard = [p for p in meeting.participants.filter(state=State.PRESENT, muted=False) if not _is_self(standing, p)]
    for participant in heard:
        _mute(meeting, participant, True, standing.by)
    if heard:
        _wake(meeting.pk)
    return len(heard)


def _mute(meeting: Meeting, participant: Participant, muted: bool, by: str) -> None:
    participant.muted = muted
    participant.save(update_fields=["muted"])
    changed = str(participant.pk)
    announce(
        meeting,
        now(),
        lambda sequence, at: protocol.Muted(sequence=sequence, at=at, participant_id=changed, muted=muted, by=by),
    )


def _commanded(meeting: Meeting, standing: Standing, participant_id: UUID) -> Participant:
    participant = require_present(meeting, participant_id)
    if not standing.host and not _is_self(standing, participant):
        raise Forbidden("meeting.host-only", "Only hosts may do this to others.")
    return participant


def _is_self(standing: Standing, participant: Participant) -> bool:
    return standing.participant is not None and standing.participant.pk == participant.pk


def _request(participant: Participant, what: Literal["unmute", "camera-on"], standing: Standing) -> Outcome:
    publish_passing_on_commit(group_of(participant.pk), encode(protocol.Requested(what=what, by=standing.by)))
    return "requested"


# --- chat -------------------------------------------------------------------------------------------------------------
@atomically
def say(*, actor: Actor, meeting_id: UUID, client_id: str, text: str) -> ChatMessage:
    """Write to everybody. Saying the same id again changes nothing.

    Raises NotFound, Forbidden (`meeting.inside-only`), Malformed (`message.blank`), Conflict (`meeting.over`).
    """
    meeting = _open(meeting_id)
    author = standing_of(meeting, actor).participant
    if author is None:
        raise Forbidden("meeting.inside-only", "Only people inside the meeting write.")
    if not text.strip():
        raise Malformed("message.blank", "There is nothing in this message.")
    said = ChatMessage.objects.filter(participant=author, client_id=client_id).first()
    if said is not None:
        return said
    moment = now()
    sequence = announce(
        meeting,
        moment,
        lambda sequence, at: protocol.Said(
            sequence=sequence, at=at, id=client_id, participant_id=str(author.pk), name=author.name, text=text
        ),
    )
    return ChatMessage.objects.create(
        meeting=meeting, participant=author, client_id=client_id, sequence=sequence, at=moment, text=text
    )


# --- relays -----------------------------------------------------------------------------------------------------------
@atomically
def claim_meeting(*, meeting_id: UUID, node: str, reason: MoveReason | None = None) -> int:
    """A relay takes the meeting; the new epoch, which fences every earlier one.

    Without a reason it is the first one's opening or a takeover. Raises NotFound (`meeting.unknown`), Conflict
    (`meeting.over`).
    """
    meeting = _open(meeting_id)
    why: MoveReason = reason or ("taken-over" if meeting.relay_epoch else "opened")
    meeting.relay_epoch += 1
    meeting.relay_node = node
    meeting.save(update_fields=["relay_epoch", "relay_node"])
    epoch = meeting.relay_epoch
    announce(meeting, now(), lambda sequence, at: protocol.Moved(sequence=sequence, at=at, epoch=epoch, reason=why))
    return epoch


# --- the sweep --------------------------------------------------------------------------------------------------------
@atomically
def note_absence(*, meeting_id: UUID, absent: set[UUID], at: datetime) -> int:
    """Write down who is absent as of `at`, and let go who was absent for too long; how many were let go."""
    meeting = _locked(meeting_id)
    if meeting.ended_at is not None:
        return 0
    present = meeting.participants.filter(state=State.PRESENT)
    present.filter(absent_since__isnull=False).exclude(pk__in=absent).update(absent_since=None)
    present.filter(absent_since=None, pk__in=absent).update(absent_since=at)
    lost = list(present.filter(pk__in=absent, absent_since__lte=at - LOST_AFTER))
    for participant in lost:
        _remove(meeting, participant, State.LOST, "lost")
    return len(lost)


@atomically
def end_if_empty(*, meeting_id: UUID, at: datetime) -> bool:
    """End a meeting in which nobody was for EMPTY_FOR."""
    meeting = _locked(meeting_id)
    if meeting.ended_at is not None or meeting.participants.filter(state=State.PRESENT).exists():
        return False
    last = meeting.participants.aggregate(left=Max("left_at"), invited=Max("invited_at"))
    times = (meeting.started_at, last["left"], last["invited"])
    if max(moment for moment in times if moment is not None) > at - EMPTY_FOR:
        return False
    _end(meeting, by=SERVER.name)
    return True


# --- shared -----------------------------------------------------------------------------------------------------------
def _locked(meeting_id: UUID) -> Meeting:
    meeting = Meeting.objects.select_for_update().filter(pk=meeting_id).first()
    if meeting is None:
        raise NotFound("meeting.unknown", "There is no such meeting.")
    return meeting


def _open(meeting_id: UUID) -> Meeting:
    meeting = _locked(meeting_id)
    if meeting.ended_at is not None:
        raise Conflict("meeting.over", "The meeting is over.")
    return meeting


def _require_seat(meeting: Meeting, capacity: int) -> None:
    if meeting.participants.filter(state=State.PRESENT).count() >= capacity:
        raise Conflict("meeting.full", "Every seat is taken.")


def _wake(meeting_id: UUID) -> None:
    call: Callable[[], None] = lambda: relays.wake(meeting_id)  # noqa: E731 - `on_commit` wants no arguments
    transaction.on_commit(call, robust=True)


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME_CHARACTERS or not name.isprintable():
        raise Malformed("participant.name", f"A name has 1 to {NAME_CHARACTERS} printable characters.")
    return name

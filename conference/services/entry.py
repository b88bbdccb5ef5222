"""Meetings begin and end; people come and go."""

from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import tickets
from common.clock import now
from common.errors import Conflict, Forbidden, NotFound, Unknown
from common.events import call_on_commit
from common.transactions import atomically
from conference import protocol, words
from conference.journal import announce
from conference.models import Meeting, Participant
from conference.selectors import Actor, group_of, open_meeting_of, person_of, require_control, role_word
from conference.services.lobby import DECIDED, leave_waiting, tell_hosts
from conference.services.shared import State, locked, named, opened, require_seat, take_out, wake
from rooms.models import Room
from rooms.selectors import HOSTS, passcode_matches, role_in, room_by_slug
from rooms.words import Lobby, Role


@dataclass(frozen=True, slots=True)
class Admission:
    """What somebody is given who may enter."""

    ticket: str
    meeting_id: UUID
    participant_id: UUID
    role: words.Role


@dataclass(frozen=True, slots=True)
class Entrance:
    """What somebody is told who entered."""

    meeting_id: UUID
    participant_id: UUID
    role: words.Role
    room_slug: str
    room_title: str
    waiting: bool = False
    """They are outside until a host lets them in."""


@atomically
def start_meeting(*, actor: Actor, slug: str) -> tuple[Meeting, bool]:
    """Start a meeting in a room; True when it did not run yet.

    Raises NotFound (`room.unknown`), Forbidden (`meeting.host-only`) where only hosts may.
    """
    room = room_by_slug(slug)
    role = role_in(room_id=room.pk, user_id=actor.user_id)
    if role is None and not actor.operator and not room.guests_allowed:
        raise NotFound("room.unknown", "There is no such room.")
    may = actor.operator or role in HOSTS or (room.anyone_may_start and (role is not None or not room.passcode))
    if (running := open_meeting_of(room.pk)) is not None and (may or role is not None):
        return running, False
    if not may:
        raise Forbidden("meeting.host-only", "Only hosts may start a meeting in this room.")
    return _begin(room, actor, "operator" if actor.operator and role is None else actor.name)


def _begin(room: Room, actor: Actor, by: str) -> tuple[Meeting, bool]:
    moment = now()
    try:
        with transaction.atomic():
            meeting = Meeting.objects.create(room_id=room.pk, started_at=moment)
    except IntegrityError:
        # Another host was faster: one open meeting per room.
        return Meeting.objects.get(room_id=room.pk, ended_at=None), False
    announce(meeting, moment, lambda sequence, at: protocol.Started(sequence=sequence, at=at, by=by))
    wake(meeting.pk)
    return meeting, True


@atomically
def end_meeting(*, actor: Actor, meeting_id: UUID) -> Meeting:
    """End it for everybody. Ending it again changes nothing. Raises NotFound, Forbidden (`meeting.host-only`)."""
    meeting = locked(meeting_id)
    if meeting.ended_at is not None:
        # Nobody is inside any more, so a participant's own standing cannot be asked for.
        if actor.participant_id is None:
            require_control(meeting, actor)
        return meeting
    end_now(meeting, by=require_control(meeting, actor).by)
    return meeting


def end_now(meeting: Meeting, by: str) -> None:
    """The meeting is over: nobody is inside, nobody waits outside."""
    moment = now()
    meeting.ended_at = moment
    meeting.save(update_fields=["ended_at"])
    for outside in meeting.participants.filter(state=State.WAITING):
        call_on_commit(group_of(outside.pk), DECIDED)
    meeting.participants.filter(state__in=(State.PRESENT, State.WAITING)).update(
        state=State.LEFT, left_at=moment, sharing=False, hand_raised_at=None
    )
    announce(meeting, moment, lambda sequence, at: protocol.Ended(sequence=sequence, at=at, by=by))
    wake(meeting.pk)


def issue_ticket(*, actor: Actor, slug: str, name: str, passcode: str = "") -> Admission:
    """Let somebody, with or without an account, into the meeting of a room; whoever may start it, starts it so.

    Where the room has a lobby the ticket leads there. Raises NotFound (`room.unknown`, also for strangers where guests
    are not allowed), Malformed (`participant.name`), Forbidden (`room.passcode-needed`, `room.passcode-wrong`,
    `participant.banned`), Conflict (`meeting.not-started`, `meeting.locked`, `meeting.full`).
    """
    # Before the transaction: the comparison is slow on purpose, and nobody shall wait for it.
    room = room_by_slug(slug)
    role = role_in(room_id=room.pk, user_id=actor.user_id)
    if role is None and not actor.operator:
        if not room.guests_allowed:
            raise NotFound("room.unknown", "There is no such room.")
        if not passcode_matches(room, passcode):
            if not passcode:
                raise Forbidden("room.passcode-needed", "This room asks for a passcode.")
            raise Forbidden("room.passcode-wrong", "That is not the passcode.")
    return _issue(actor, room, role, named(name))


@atomically
def _issue(actor: Actor, room: Room, role: Role | None, name: str) -> Admission:
    meeting = open_meeting_of(room.pk)
    if meeting is None:
        if role not in HOSTS and not room.anyone_may_start:
            raise Conflict("meeting.not-started", "The meeting has not started yet.")
        meeting, _ = _begin(room, actor, actor.name or name)
    meeting = opened(meeting.pk)
    role = role_in(room_id=room.pk, user_id=actor.user_id, meeting_id=meeting.pk)
    trusted = role in HOSTS or actor.operator
    if not trusted:
        if _banned(meeting, actor):
            raise Forbidden("participant.banned", "A host keeps you out of this meeting.")
        if meeting.locked:
            raise Conflict("meeting.locked", "The hosts let nobody in any more.")
    require_seat(meeting, room.capacity)
    waits = not trusted and (room.lobby == Lobby.EVERYBODY or (room.lobby == Lobby.GUESTS and role is None))
    moment = now()
    word = role_word(role or "guest")
    participant = Participant.objects.create(
        meeting=meeting,
        user_id=actor.user_id,
        name=name,
        role=word,
        state=State.WAITING if waits else State.INVITED,
        muted=room.mute_on_entry and role not in HOSTS,
        visitor=actor.visitor,
        invited_at=moment,
    )
    if waits:
        tell_hosts(meeting)
    ticket = tickets.sign(tickets.Ticket(participant.pk, meeting.pk, word, moment + tickets.LIFETIME))
    return Admission(ticket, meeting.pk, participant.pk, word)


def _banned(meeting: Meeting, actor: Actor) -> bool:
    if actor.user_id is not None:
        return meeting.bans.filter(user_id=actor.user_id).exists()
    return bool(actor.visitor) and meeting.bans.filter(visitor=actor.visitor).exists()


@atomically
def join_meeting(*, ticket: str, meeting_id: UUID) -> Entrance:
    """The bearer of the ticket enters, or is back. Coming twice is told once.

    Raises Unknown (`ticket.invalid`, `ticket.expired`, `ticket.revoked`), NotFound (`meeting.unknown`), Conflict
    (`meeting.over`, `meeting.full`, `meeting.locked`), Forbidden (`participant.denied`).
    """
    moment = now()
    proved = tickets.read(ticket, meeting_id=meeting_id, now=moment)
    meeting = locked(meeting_id)
    participant = meeting.participants.filter(pk=proved.participant_id).first()
    if participant is None:
        raise Unknown("ticket.invalid", "This ticket is not one of ours.")
    if meeting.ended_at is not None:
        raise Conflict("meeting.over", "The meeting is over.")
    if participant.state == State.DENIED:
        raise Forbidden("participant.denied", "The hosts did not let you in.")
    if participant.state in (State.LEFT, State.REMOVED):
        raise Unknown("ticket.revoked", "You have left this meeting.")
    waiting = participant.state == State.WAITING
    if not waiting and participant.state != State.PRESENT:
        new = participant.state == State.INVITED and not participant.admitted
        if new and meeting.locked and participant.role not in HOSTS:
            raise Conflict("meeting.locked", "The hosts let nobody in any more.")
        require_seat(meeting, meeting.room.capacity)
        participant.state, participant.joined_at, participant.left_at = State.PRESENT, moment, None
        participant.absent_since = None
        participant.save(update_fields=["state", "joined_at", "left_at", "absent_since"])
        person = person_of(participant)
        announce(meeting, moment, lambda sequence, at: protocol.Joined(sequence=sequence, at=at, person=person))
        wake(meeting.pk)
    room = meeting.room
    return Entrance(meeting.pk, participant.pk, role_word(participant.role), room.slug, room.title, waiting)


@atomically
def leave_meeting(*, meeting_id: UUID, participant_id: UUID) -> None:
    """Go by one's own will: the ticket is used up. Repeating it changes nothing."""
    meeting = locked(meeting_id)
    participant = meeting.participants.filter(pk=participant_id, state__in=(State.PRESENT, State.WAITING)).first()
    if participant is None or meeting.ended_at is not None:
        return
    if participant.state == State.PRESENT:
        take_out(meeting, participant, State.LEFT, "left")
    else:
        leave_waiting(meeting, participant, State.LEFT)

"""Reads of meetings, and the gates in front of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from common.errors import Conflict, Forbidden, NotFound, Unknown
from conference import protocol, words
from conference.models import ChatMessage, Entry, Meeting, Participant
from conference.state import CHAT_LENGTH, in_order
from media.control import Plan, PlannedParticipant
from rooms.selectors import HOSTS, role_in, rooms_of

State = Participant.State
PLANNED = (State.PRESENT, State.INVITED)
OUTSIDE = (State.INVITED, State.WAITING, State.DENIED)
"""Who was never inside, or is not yet."""
JOURNAL_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a participant (by socket), a user (by page or key), or this server itself."""

    user_id: UUID | None = None
    participant_id: UUID | None = None
    operator: bool = False
    name: str = ""
    visitor: str = ""
    """The browser of somebody without an account, as its cookie says; empty where there is none."""


SERVER = Actor(operator=True, name="quorum")


@dataclass(frozen=True, slots=True)
class Standing:
    """What an actor is in one meeting. `by` names them in the journal; `owner`: a host, an operator or this server, who
    may do to hosts what co-hosts may not.
    """

    participant: Participant | None
    host: bool
    by: str
    owner: bool = False


# --- names of topics --------------------------------------------------------------------------------------------------
def topic_of(meeting_id: UUID | str) -> str:
    """The topic of a meeting's lines and of the passing news that concern everybody in it."""
    return f"meeting.{meeting_id}"


def group_of(participant_id: UUID | str) -> str:
    """The channel group of one participant's socket."""
    return f"participant.{participant_id}"


# --- gates ------------------------------------------------------------------------------------------------------------
def meeting_by_id(meeting_id: UUID) -> Meeting:
    """Raise NotFound (`meeting.unknown`)."""
    meeting = Meeting.objects.select_related("room").filter(pk=meeting_id).first()
    if meeting is None:
        raise NotFound("meeting.unknown", "There is no such meeting.")
    return meeting


def standing_of(meeting: Meeting, actor: Actor) -> Standing:
    """What the actor is in this meeting.

    Raise NotFound (`meeting.unknown`) for strangers, Unknown (`ticket.revoked`) for a participant who has left or was
    removed.
    """
    if actor.participant_id is not None:
        participant = meeting.participants.filter(pk=actor.participant_id).first()
        if participant is None:
            raise NotFound("meeting.unknown", "There is no such meeting.")
        if participant.state != State.PRESENT:
            raise Unknown("ticket.revoked", "You are no longer in this meeting.")
        return Standing(participant, participant.role in HOSTS, str(participant.pk), participant.role == HOSTS[0])
    if actor.user_id is None:
        if not actor.operator:
            raise NotFound("meeting.unknown", "There is no such meeting.")
        return Standing(None, True, actor.name, True)
    role = role_in(room_id=meeting.room_id, user_id=actor.user_id, meeting_id=meeting.pk)
    mine = list(meeting.participants.filter(user_id=actor.user_id).exclude(state__in=OUTSIDE))
    if role is None and not mine and not actor.operator:
        raise NotFound("meeting.unknown", "There is no such meeting.")
    present = next((p for p in mine if p.state == State.PRESENT), None)
    by = str(present.pk) if present else "operator" if actor.operator else actor.name
    return Standing(present, actor.operator or role in HOSTS, by, actor.operator or role == HOSTS[0])


def require_seen(*, meeting_id: UUID, actor: Actor) -> Meeting:
    """The meeting. Raise NotFound (`meeting.unknown`) unless the actor has something to do with it."""
    meeting = meeting_by_id(meeting_id)
    standing_of(meeting, actor)
    return meeting


def require_control(meeting: Meeting, actor: Actor) -> Standing:
    """The standing of a host. Raise Forbidden (`meeting.host-only`) for everybody else inside."""
    standing = standing_of(meeting, actor)
    if not standing.host:
        raise Forbidden("meeting.host-only", "Only hosts may do this.")
    return standing


def require_present(meeting: Meeting, participant_id: UUID) -> Participant:
    """Raise NotFound (`participant.unknown`) unless they are in the meeting now."""
    participant = meeting.participants.filter(pk=participant_id, state=State.PRESENT).first()
    if participant is None:
        raise NotFound("participant.unknown", "There is no such person in this meeting.")
    return participant


# --- lists ------------------------------------------------------------------------------------------------------------
def visible_meetings(actor: Actor) -> QuerySet[Meeting]:
    """Meetings of the actor's rooms, and those they were in; operators see all."""
    meetings = Meeting.objects.select_related("room")
    if not actor.operator:
        if actor.user_id is None:
            return meetings.none()
        theirs = Participant.objects.filter(user_id=actor.user_id).exclude(state__in=OUTSIDE)
        meetings = meetings.filter(Q(room__in=rooms_of(actor.user_id)) | Q(pk__in=theirs.values("meeting_id")))
    return _counted(meetings)


def _counted(meetings: QuerySet[Meeting]) -> QuerySet[Meeting]:
    counted = meetings.annotate(people=Count("participants", filter=Q(participants__state=State.PRESENT)))
    # Said again, since grouping drops the model's own order.
    return counted.order_by("-started_at", "-id")


def open_meeting_of(room_id: UUID) -> Meeting | None:
    """The meeting that runs in a room now."""
    return Meeting.objects.filter(room_id=room_id, ended_at=None).first()


def participants_of(meeting_id: UUID) -> QuerySet[Participant]:
    """Everybody who was ever inside, or waits to be."""
    return Participant.objects.filter(meeting_id=meeting_id).exclude(state__in=(State.INVITED, State.DENIED))


def waiting_in(meeting_id: UUID) -> QuerySet[Participant]:
    """Who waits to be let in, first come first."""
    return Participant.objects.filter(meeting_id=meeting_id, state=State.WAITING).order_by("invited_at", "id")


def waiting_room(meeting_id: UUID) -> protocol.WaitingRoom:
    """The same in the words of the socket."""
    people = [
        protocol.WaitingPerson(id=str(one.pk), name=one.name, since=milliseconds(one.invited_at))
        for one in waiting_in(meeting_id)
    ]
    return protocol.WaitingRoom(people=tuple(people))


def hosts_in(meeting_id: UUID) -> list[UUID]:
    """The participants who run the meeting now."""
    hosts = Participant.objects.filter(meeting_id=meeting_id, state=State.PRESENT, role__in=HOSTS)
    return list(hosts.values_list("id", flat=True))


def raised_hands_of(meeting_id: UUID) -> QuerySet[Participant]:
    """Whose hand is up, first raised first."""
    return Participant.objects.filter(meeting_id=meeting_id, hand_raised_at__isnull=False).order_by(
        "hand_raised_at", "id"
    )


def participant_of(meeting: Meeting, participant_id: UUID) -> Participant:
    """Whoever was ever inside. Raise NotFound (`participant.unknown`)."""
    participant = participants_of(meeting.pk).filter(pk=participant_id).first()
    if participant is None:
        raise NotFound("participant.unknown", "There is no such person in this meeting.")
    return participant


def with_people(meeting: Meeting) -> Meeting:
    """The meeting with the number of people in it, as in lists."""
    return _counted(Meeting.objects.select_related("room")).get(pk=meeting.pk)


def messages_of(meeting_id: UUID) -> QuerySet[ChatMessage]:
    """The chat, oldest first."""
    return ChatMessage.objects.filter(meeting_id=meeting_id).select_related("participant").order_by("sequence")


def journal_of(meeting_id: UUID) -> QuerySet[Entry]:
    """The journal, oldest first."""
    return Entry.objects.filter(meeting_id=meeting_id).order_by("sequence")


# --- journal and state ------------------------------------------------------------------------------------------------
def head_of(meeting_id: UUID) -> int:
    """The sequence of the journal's last line; 0 where there is none."""
    return Meeting.objects.filter(pk=meeting_id).values_list("sequence", flat=True).first() or 0


def lines_after(meeting_id: UUID, sequence: int) -> list[tuple[int, str]]:
    """Each later line as it was said, with its sequence, oldest first."""
    later = journal_of(meeting_id).filter(sequence__gt=sequence)
    return list(later.values_list("sequence", "body"))


def state_of(meeting_id: UUID) -> protocol.MeetingState:
    """Everything about a meeting now: what its journal, replayed, would give.

    To be read in one transaction of at least REPEATABLE READ, or under the meeting's lock; a line that slips in between
    is also replayed, and applying it twice is harmless.
    """
    meeting = meeting_by_id(meeting_id)
    chat = messages_of(meeting_id).filter(sequence__lte=meeting.sequence).order_by("-sequence")[:CHAT_LENGTH]
    present = meeting.participants.filter(state=State.PRESENT)
    return protocol.MeetingState(
        sequence=meeting.sequence,
        epoch=meeting.relay_epoch,
        over=meeting.ended_at is not None,
        people=in_order(person_of(participant) for participant in present),
        chat=tuple(
            protocol.ChatMessage(
                id=message.client_id,
                participant_id=str(message.participant_id),
                name=message.participant.name,
                text=message.text,
                at=milliseconds(message.at),
            )
            for message in reversed(chat)
        ),
        locked=meeting.locked,
        spotlight=str(meeting.spotlight) if meeting.spotlight else None,
    )


def person_of(participant: Participant) -> protocol.Person:
    """A present participant in the words of the socket."""
    assert participant.joined_at is not None, "who is present has joined"
    return protocol.Person(
        id=str(participant.pk),
        name=participant.name,
        role=role_word(participant.role),
        muted=participant.muted,
        camera_on=participant.camera_on,
        joined_at=milliseconds(participant.joined_at),
        sharing=participant.sharing,
        hand_raised_at=milliseconds(participant.hand_raised_at) if participant.hand_raised_at else None,
    )


def role_word(role: str) -> words.Role:
    """A stored role as one of the protocol's words."""
    words: dict[str, Literal["host", "cohost", "member", "guest"]] = {
        "host": "host",
        "cohost": "cohost",
        "member": "member",
    }
    return words.get(role, "guest")


def milliseconds(moment: datetime) -> int:
    """Since 1970."""
    return int(moment.timestamp() * 1000)


# --- for relays -------------------------------------------------------------------------------------------------------
def relay_plan(meeting_id: UUID) -> Plan | None:
    """What the relay of this meeting ought to do; None once it is over."""
    meeting = Meeting.objects.filter(pk=meeting_id, ended_at=None).first()
    if meeting is None:
        return None
    people = meeting.participants.filter(state__in=PLANNED).order_by("id")
    return Plan(
        meeting_id=str(meeting_id),
        epoch=meeting.relay_epoch,
        participants=tuple(
            PlannedParticipant(id=str(person.pk), audio=not person.muted, video=person.camera_on, screen=person.sharing)
            for person in people
        ),
    )


def open_meetings() -> list[tuple[UUID, str, int]]:
    """Each meeting that runs: id, the node that carries it (or none, ""), epoch."""
    running = Meeting.objects.filter(ended_at=None).order_by("id")
    return list(running.values_list("id", "relay_node", "relay_epoch"))


def present_ids() -> dict[UUID, list[UUID]]:
    """Who is in which open meeting now, or waits outside of it, by meeting."""
    found: dict[UUID, list[UUID]] = {}
    present = Participant.objects.filter(state__in=(State.PRESENT, State.WAITING), meeting__ended_at=None)
    for meeting_id, participant_id in present.values_list("meeting_id", "id"):
        found.setdefault(meeting_id, []).append(participant_id)
    return found


def marked_absent() -> set[UUID]:
    """Whom the last sweep found absent."""
    marked = Participant.objects.filter(state__in=(State.PRESENT, State.WAITING), absent_since__isnull=False)
    return set(marked.values_list("id", flat=True))


def carrying_epoch(*, meeting_id: UUID, participant_id: UUID) -> int:
    """The epoch to which a participant's offer belongs.

    Raise Conflict (`meeting.over`), NotFound, or Unknown (`ticket.revoked`) for who is no longer inside.
    """
    meeting = meeting_by_id(meeting_id)
    if meeting.ended_at is not None:
        raise Conflict("meeting.over", "The meeting is over.")
    standing_of(meeting, Actor(participant_id=participant_id))
    return meeting.relay_epoch


def ice_servers() -> Iterable[dict[str, object]]:
    """STUN and TURN servers for browsers. None: the relay has a public address of its own and answers checks itself."""
    return ()

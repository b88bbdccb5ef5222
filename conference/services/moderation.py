"""What hosts decide about people and about the meeting as a whole."""

from collections.abc import Collection
from uuid import UUID

from common.clock import now
from common.errors import Conflict, Forbidden
from common.events import publish_passing_on_commit
from common.transactions import atomically
from common.wire import encode
from conference import protocol, words
from conference.journal import announce
from conference.models import Ban
from conference.selectors import (
    Actor,
    raised_hands_of,
    require_control,
    require_present,
    role_word,
    standing_of,
    topic_of,
)
from conference.services.control import place_hand, silence
from conference.services.lobby import tell_hosts
from conference.services.shared import (
    State,
    commanded,
    is_self,
    named,
    opened,
    require_owner,
    take_out,
    wake,
)
from rooms.selectors import HOSTS, role_in
from rooms.services import grant_role
from rooms.words import Role


@atomically
def remove_participant(*, actor: Actor, meeting_id: UUID, participant_id: UUID, ban: bool = False) -> None:
    """Send somebody out; with `ban` they are kept out of this meeting, by their account or their browser.

    Raises NotFound, Forbidden (`meeting.host-only`, `participant.host`), Conflict (`meeting.over`).
    """
    meeting = opened(meeting_id)
    standing = require_control(meeting, actor)
    participant = require_present(meeting, participant_id)
    require_owner(standing, participant)
    if ban:
        who = {"user_id": participant.user_id} if participant.user_id else {"visitor": participant.visitor}
        Ban.objects.create(meeting=meeting, name=participant.name, at=now(), by=standing.by, **who)
    take_out(meeting, participant, State.REMOVED, "banned" if ban else "removed", standing.by)


@atomically
def set_locked(*, actor: Actor, meeting_id: UUID, locked: bool) -> None:
    """Let nobody new in, or again. Idempotent. Raises NotFound, Forbidden (`meeting.host-only`), Conflict."""
    meeting = opened(meeting_id)
    standing = require_control(meeting, actor)
    if meeting.locked == locked:
        return
    meeting.locked = locked
    meeting.save(update_fields=["locked"])
    announce(
        meeting, now(), lambda sequence, at: protocol.Locked(sequence=sequence, at=at, locked=locked, by=standing.by)
    )


@atomically
def rename(*, actor: Actor, meeting_id: UUID, participant_id: UUID, name: str) -> None:
    """Oneself always, others as a host. Idempotent.

    Raises NotFound, Malformed (`participant.name`), Forbidden (`meeting.host-only`), Conflict (`meeting.over`).
    """
    name = named(name)
    meeting = opened(meeting_id)
    standing = standing_of(meeting, actor)
    participant = commanded(meeting, standing, participant_id)
    if participant.name == name:
        return
    participant.name = name
    participant.save(update_fields=["name"])
    who = str(participant.pk)
    announce(
        meeting,
        now(),
        lambda sequence, at: protocol.Renamed(sequence=sequence, at=at, participant_id=who, name=name, by=standing.by),
    )


@atomically
def set_role(*, actor: Actor, meeting_id: UUID, participant_id: UUID, role: words.Role) -> None:
    """Promote or demote somebody until the end of the meeting. Idempotent. Only hosts make hosts.

    Raises NotFound, Forbidden (`meeting.host-only`, `participant.host`, `role.host-only`), Conflict (`meeting.over`,
    `participant.room-host`: hosts of the room stay what they are).
    """
    meeting = opened(meeting_id)
    standing = require_control(meeting, actor)
    participant = require_present(meeting, participant_id)
    if participant.role == role:
        return
    require_owner(standing, participant)
    if role == "host" and not standing.owner:
        raise Forbidden("role.host-only", "Only a host makes somebody a host.")
    if participant.user_id is not None:
        lasting = role_in(room_id=meeting.room_id, user_id=participant.user_id)
        if lasting in HOSTS and role not in HOSTS:
            raise Conflict("participant.room-host", "They are a host of the room itself.")
        grant_role(
            room_id=meeting.room_id, user_id=participant.user_id, role=Role(role), meeting_id=meeting.pk, until=None
        )
    participant.role = role
    participant.save(update_fields=["role"])
    who = str(participant.pk)
    announce(
        meeting,
        now(),
        lambda sequence, at: protocol.RoleChanged(
            sequence=sequence, at=at, participant_id=who, role=role_word(role), by=standing.by
        ),
    )
    tell_hosts(meeting)


@atomically
def set_spotlight(*, actor: Actor, meeting_id: UUID, participant_id: UUID | None) -> None:
    """Show somebody large to everybody; None: nobody. Idempotent. Raises NotFound, Forbidden, Conflict."""
    meeting = opened(meeting_id)
    standing = require_control(meeting, actor)
    spotlight = None if participant_id is None else require_present(meeting, participant_id).pk
    if meeting.spotlight == spotlight:
        return
    meeting.spotlight = spotlight
    meeting.save(update_fields=["spotlight"])
    who = None if spotlight is None else str(spotlight)
    announce(
        meeting,
        now(),
        lambda sequence, at: protocol.Spotlighted(sequence=sequence, at=at, participant_id=who, by=standing.by),
    )


@atomically
def mute_all(*, actor: Actor, meeting_id: UUID, spared: Collection[UUID] = ()) -> int:
    """Mute everybody but the actor and `spared`; how many were. Raises NotFound, Forbidden, Conflict."""
    meeting = opened(meeting_id)
    standing = require_control(meeting, actor)
    heard = meeting.participants.filter(state=State.PRESENT, muted=False).exclude(pk__in=spared)
    people = [participant for participant in heard if not is_self(standing, participant)]
    for participant in people:
        silence(meeting, participant, True, standing.by)
    if people:
        wake(meeting.pk)
    return len(people)


@atomically
def lower_hands(*, actor: Actor, meeting_id: UUID) -> int:
    """Lower all hands; how many were up. Raises NotFound, Forbidden (`meeting.host-only`), Conflict."""
    meeting = opened(meeting_id)
    standing = require_control(meeting, actor)
    people = list(raised_hands_of(meeting_id))
    for participant in people:
        place_hand(meeting, participant, None, standing.by)
    return len(people)


@atomically
def react(*, actor: Actor, meeting_id: UUID, reaction: str) -> None:
    """Show everybody a sign that passes; nothing is kept. Raises NotFound, Forbidden (`meeting.inside-only`)."""
    meeting = opened(meeting_id)
    author = standing_of(meeting, actor).participant
    if author is None:
        raise Forbidden("meeting.inside-only", "Only people inside the meeting react.")
    text = encode(protocol.Reacted(participant_id=str(author.pk), reaction=reaction))
    publish_passing_on_commit(topic_of(meeting_id), text)

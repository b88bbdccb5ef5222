"""The waiting room: who is admitted, who is not, and how both are told."""

from uuid import UUID

from common.clock import now
from common.errors import NotFound
from common.events import call_on_commit, publish_passing_on_commit
from common.transactions import atomically
from common.wire import encode
from conference import protocol
from conference.journal import announce
from conference.models import Meeting, Participant
from conference.selectors import Actor, Standing, group_of, hosts_in, require_control, waiting_in, waiting_room
from conference.services.shared import State, opened, require_owner, take_out, wake

DECIDED = "participant.decided"
"""Calls the socket of somebody who waits: it asks again what has become of them."""


@atomically
def admit(*, actor: Actor, meeting_id: UUID, participant_id: UUID, admitted: bool) -> None:
    """Let in somebody who waits, or deny them. What is decided already stays so.

    Raises NotFound (`participant.unknown`), Forbidden (`meeting.host-only`), Conflict (`meeting.over`).
    """
    meeting = opened(meeting_id)
    standing = require_control(meeting, actor)
    participant = meeting.participants.filter(pk=participant_id).first()
    if participant is None:
        raise NotFound("participant.unknown", "There is no such person in this meeting.")
    if participant.state == State.WAITING:
        _decide(meeting, participant, standing, admitted)
        tell_hosts(meeting)


@atomically
def admit_all(*, actor: Actor, meeting_id: UUID) -> int:
    """Let in everybody who waits; how many. Raises NotFound, Forbidden (`meeting.host-only`), Conflict."""
    meeting = opened(meeting_id)
    standing = require_control(meeting, actor)
    people = list(waiting_in(meeting_id))
    for participant in people:
        _decide(meeting, participant, standing, True)
    if people:
        tell_hosts(meeting)
    return len(people)


@atomically
def move_to_lobby(*, actor: Actor, meeting_id: UUID, participant_id: UUID) -> None:
    """Have somebody wait outside until they are admitted again; their media ends at once.

    Raises NotFound, Forbidden (`meeting.host-only`, `participant.host`), Conflict (`meeting.over`).
    """
    meeting = opened(meeting_id)
    standing = require_control(meeting, actor)
    participant = meeting.participants.filter(pk=participant_id, state__in=(State.PRESENT, State.WAITING)).first()
    if participant is None:
        raise NotFound("participant.unknown", "There is no such person in this meeting.")
    if participant.state == State.WAITING:
        return
    require_owner(standing, participant)
    participant.invited_at = now()
    participant.save(update_fields=["invited_at"])
    take_out(meeting, participant, State.WAITING, "lobby", standing.by)
    tell_hosts(meeting)


def _decide(meeting: Meeting, participant: Participant, standing: Standing, admitted: bool) -> None:
    participant.state = State.INVITED if admitted else State.DENIED
    participant.absent_since, participant.admitted = None, admitted
    participant.save(update_fields=["state", "absent_since", "admitted"])
    who, name = str(participant.pk), participant.name
    announce(
        meeting,
        now(),
        lambda sequence, at: protocol.Decided(
            sequence=sequence, at=at, participant_id=who, name=name, admitted=admitted, by=standing.by
        ),
    )
    call_on_commit(group_of(participant.pk), DECIDED)
    wake(meeting.pk)


def leave_waiting(meeting: Meeting, participant: Participant, state: Participant.State) -> None:
    """Somebody waits no more: they went, or waited too long. Nobody inside ever saw them."""
    participant.state, participant.left_at, participant.absent_since = state, now(), None
    participant.save(update_fields=["state", "left_at", "absent_since"])
    call_on_commit(group_of(participant.pk), DECIDED)
    tell_hosts(meeting)


def tell_hosts(meeting: Meeting) -> None:
    """Say who waits to everybody who may let them in."""
    text = encode(waiting_room(meeting.pk))
    for host in hosts_in(meeting.pk):
        publish_passing_on_commit(group_of(host), text)

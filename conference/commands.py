"""What a browser asks of its hosts' rights, message by message: the service that does it."""

from typing import TypedDict
from uuid import UUID

from common.errors import NotFound
from conference import services, verbs
from conference.selectors import Actor


class _Where(TypedDict):
    actor: Actor
    meeting_id: UUID


def perform(*, actor: Actor, meeting_id: UUID, message: verbs.Command) -> None:
    """Do what the message asks for. Raises what its service raises."""
    where: _Where = {"actor": actor, "meeting_id": meeting_id}
    match message:
        case verbs.MuteAll(spared=spared):
            services.mute_all(spared={person(one) for one in spared}, **where)
        case verbs.LowerHands():
            services.lower_hands(**where)
        case verbs.Lock(locked=locked):
            services.set_locked(locked=locked, **where)
        case verbs.Rename(participant_id=whom, name=name):
            services.rename(participant_id=person(whom), name=name, **where)
        case verbs.SetRole(participant_id=whom, role=role):
            services.set_role(participant_id=person(whom), role=role, **where)
        case verbs.Spotlight(participant_id=shown):
            services.set_spotlight(participant_id=None if shown is None else person(shown), **where)
        case verbs.Remove(participant_id=whom, ban=ban):
            services.remove_participant(participant_id=person(whom), ban=ban, **where)
        case verbs.MoveToLobby(participant_id=whom):
            services.move_to_lobby(participant_id=person(whom), **where)
        case verbs.Admit(participant_id=whom, admitted=admitted):
            services.admit(participant_id=person(whom), admitted=admitted, **where)
        case verbs.AdmitAll():
            services.admit_all(**where)
        case verbs.React(reaction=reaction):
            services.react(reaction=reaction, **where)


def person(text: str) -> UUID:
    """Somebody's id. Raise NotFound (`participant.unknown`) where it is none."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("participant.unknown", "There is no such person in this meeting.") from None

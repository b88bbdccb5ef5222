"""What hosts ask for on the meeting socket, and signs: messages that a session hands on as they are."""

from typing import Annotated, Literal

from msgspec import Meta

from common.wire import Message
from conference.words import Id, Role


class MuteAll(Message, frozen=True, tag="mute-all"):
    """Mute everybody but oneself and `spared` (hosts)."""

    spared: Annotated[tuple[Id, ...], Meta(max_length=1000)] = ()
    id: Id | None = None


class LowerHands(Message, frozen=True, tag="lower-hands"):
    """Lower all hands (hosts)."""

    id: Id | None = None


class Lock(Message, frozen=True, tag="lock"):
    """Let nobody new in, or again (hosts)."""

    locked: bool
    id: Id | None = None


class Rename(Message, frozen=True, tag="rename"):
    """Give oneself, or as a host somebody else, another name."""

    participant_id: Id
    name: Annotated[str, Meta(max_length=400)]
    id: Id | None = None


class SetRole(Message, frozen=True, tag="set-role"):
    """Promote or demote somebody until the end of the meeting (hosts)."""

    participant_id: Id
    role: Role
    id: Id | None = None


class Spotlight(Message, frozen=True, tag="spotlight"):
    """Show somebody large to everybody, or nobody any more (hosts)."""

    participant_id: Id | None
    id: Id | None = None


class Remove(Message, frozen=True, tag="remove"):
    """Send somebody out; with `ban` they do not come back into this meeting (hosts)."""

    participant_id: Id
    ban: bool = False
    id: Id | None = None


class MoveToLobby(Message, frozen=True, tag="move-to-lobby"):
    """Have somebody wait outside until they are admitted again (hosts)."""

    participant_id: Id
    id: Id | None = None


class Admit(Message, frozen=True, tag="admit"):
    """Let in somebody who waits, or deny them (hosts)."""

    participant_id: Id
    admitted: bool
    id: Id | None = None


class AdmitAll(Message, frozen=True, tag="admit-all"):
    """Let in everybody who waits (hosts)."""

    id: Id | None = None


class React(Message, frozen=True, tag="react"):
    """Show everybody a sign that passes."""

    reaction: Literal["👍", "👏", "❤️", "😂", "😮", "🎉"]


Command = MuteAll | LowerHands | Lock | Rename | SetRole | Spotlight | Remove | MoveToLobby | Admit | AdmitAll | React
"""What a session hands on as it is; `conference.commands` has a service for each."""

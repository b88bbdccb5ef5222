"""A meeting's state as a function of its journal. Pure.

`apply` is what every browser does with a line. The database gives the same state at once (`selectors.state_of`); that
the two agree is what makes resuming by sequence safe.
"""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from conference.protocol import (
    CameraSwitched,
    ChatMessage,
    Decided,
    Ended,
    HandRaised,
    Joined,
    Left,
    Line,
    Locked,
    MeetingState,
    Moved,
    Muted,
    Person,
    Renamed,
    RoleChanged,
    Said,
    ScreenSwitched,
    Spotlighted,
    Started,
)

CHAT_LENGTH = 200
"""How much chat a newcomer is shown; the rest is a page of the REST interface."""

NOTHING = MeetingState(sequence=0, epoch=0, over=False, people=(), chat=())
"""The state before the first line."""


def apply(state: MeetingState, line: Line) -> MeetingState:
    """The state after the line. A line that is already in the state changes nothing."""
    if line.sequence <= state.sequence:
        return state
    state = replace(state, sequence=line.sequence)
    match line:
        case Started() | Decided():
            return state
        case Joined(person=person):
            others = (other for other in state.people if other.id != person.id)
            return replace(state, people=in_order((*others, person)))
        case Left(participant_id=gone):
            left = tuple(person for person in state.people if person.id != gone)
            return replace(state, people=left, spotlight=None if state.spotlight == gone else state.spotlight)
        case Muted(participant_id=changed, muted=muted):
            return _with_person(state, changed, lambda person: replace(person, muted=muted))
        case CameraSwitched(participant_id=changed, on=on):
            return _with_person(state, changed, lambda person: replace(person, camera_on=on))
        case ScreenSwitched(participant_id=changed, on=on):
            return _with_person(state, changed, lambda person: replace(person, sharing=on))
        case HandRaised(participant_id=changed, raised=raised, at=at):
            since = at if raised else None
            return _with_person(state, changed, lambda person: replace(person, hand_raised_at=since))
        case Renamed(participant_id=changed, name=name):
            return _with_person(state, changed, lambda person: replace(person, name=name))
        case RoleChanged(participant_id=changed, role=role):
            return _with_person(state, changed, lambda person: replace(person, role=role))
        case Spotlighted(participant_id=spotlight):
            return replace(state, spotlight=spotlight)
        case Locked(locked=locked):
            return replace(state, locked=locked)
        case Said():
            said = ChatMessage(
                id=line.id, participant_id=line.participant_id, name=line.name, text=line.text, at=line.at
            )
            return replace(state, chat=(*state.chat, said)[-CHAT_LENGTH:])
        case Moved(epoch=epoch):
            return replace(state, epoch=epoch)
        case Ended():
            return replace(state, over=True, people=())


def in_order(people: Iterable[Person]) -> tuple[Person, ...]:
    """People by the time they entered."""
    return tuple(sorted(people, key=lambda person: (person.joined_at, person.id)))


def _with_person(state: MeetingState, wanted: str, change: Callable[[Person], Person]) -> MeetingState:
    return replace(state, people=tuple(change(p) if p.id == wanted else p for p in state.people))

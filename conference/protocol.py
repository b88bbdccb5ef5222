"""What is said on the meeting socket `/ws/meetings/<id>/`. TypeScript is generated from this file.

Imperative from the browser, past tense to it. *Lines* carry a `sequence` and are the meeting's journal: a browser
that lost its socket joins again with the last sequence that it saw and is told the rest. A line may come twice, never
not at all; whatever has no sequence is not worth keeping.
"""

from typing import Annotated, Literal

from msgspec import Meta

from common.wire import Codec, Message, Part
from conference.verbs import Command
from conference.words import At, ChatText, Connection, Epoch, Id, Kind, Origin, Role, Sdp, Sequence

VERSION = 1
MAX_FRAME_BYTES = 192 * 1024
"""One frame from a browser: the largest SDP (128 KiB) with its line ends escaped stays below it."""


# --- from the browser -----------------------------------------------------------------------------------------------
class Join(Message, frozen=True, tag="join"):
    """Enter, or come back after a lost connection having seen everything up to `seen`. Answered by Welcomed."""

    ticket: Annotated[str, Meta(max_length=1024)]
    version: int = VERSION
    seen: Sequence | None = None


class Resume(Message, frozen=True, tag="resume"):
    """A gap was noticed: say every line past `seen` again."""

    seen: Sequence


class Offer(Message, frozen=True, tag="offer"):
    """An SDP offer (RFC 8829) for one of the two connections. Answered by Answered, or Refused with the same `id`.

    `send` lists in `origins` what each of its sections carries; `receive` offers receive-only sections, the slots.
    """

    id: Id
    connection: Connection
    sdp: Sdp
    origins: Annotated[dict[str, Origin], Meta(max_length=64, description="mid → what is sent there")] = {}


class Mute(Message, frozen=True, tag="mute"):
    """Ask that somebody, or oneself, be muted or heard again."""

    participant_id: Id
    muted: bool
    id: Id | None = None


class SwitchCamera(Message, frozen=True, tag="switch-camera"):
    """Ask that somebody's camera, or one's own, be on or off."""

    participant_id: Id
    on: bool
    id: Id | None = None


class SwitchScreen(Message, frozen=True, tag="switch-screen"):
    """Begin or end sharing one's own screen; hosts may end that of others. The sections for it are always there."""

    participant_id: Id
    on: bool
    id: Id | None = None


class RaiseHand(Message, frozen=True, tag="raise-hand"):
    """Raise or lower one's hand; hosts may lower that of others."""

    participant_id: Id
    raised: bool
    id: Id | None = None


class View(Part, frozen=True):
    """One picture that the page shows, and how tall."""

    participant_id: Id
    origin: Origin
    height_px: Annotated[int, Meta(ge=0, le=8192, description="pixels of the screen; the layer is chosen by it")]


class Watch(Message, frozen=True, tag="watch"):
    """What the page shows now, most important first: just these pictures fill the video slots. To be said again after
    each new `receive` connection. Everybody's sound comes anyway.
    """

    views: Annotated[tuple[View, ...], Meta(max_length=64)]


class Say(Message, frozen=True, tag="say"):
    """Write to everybody. The browser chooses `id`; saying the same id again changes nothing."""

    id: Id
    text: ChatText


class Leave(Message, frozen=True, tag="leave"):
    """Go. Without it, one is gone 15 s after both socket and media are."""


class End(Message, frozen=True, tag="end"):
    """End the meeting for everybody (hosts)."""

    id: Id | None = None


FromBrowser = (
    Join | Resume | Offer | Mute | SwitchCamera | SwitchScreen | RaiseHand | Watch | Say | Leave | End | Command
)


# --- to the browser: state ------------------------------------------------------------------------------------------
class Person(Part, frozen=True):
    """Someone in the meeting, as wished for by the control plane: what is muted here is dropped by the relay."""

    id: str
    name: str
    role: Role
    muted: bool
    camera_on: bool
    joined_at: At
    sharing: bool = False
    """Whether a screen of theirs is shared."""
    hand_raised_at: At | None = None
    """Hands are called in this order; None: not raised."""


class ChatMessage(Part, frozen=True):
    """One chat message."""

    id: str
    participant_id: str
    name: str
    text: str
    at: At


class MeetingState(Part, frozen=True):
    """Everything about a meeting as of `sequence`: the state that its lines, replayed, would give."""

    sequence: Sequence
    epoch: Epoch
    over: bool
    people: tuple[Person, ...]
    chat: tuple[ChatMessage, ...]
    """The last 200."""
    locked: bool = False
    spotlight: str | None = None
    """Whom everybody sees large."""


# --- to the browser: answers and passing news -----------------------------------------------------------------------
class Welcomed(Message, frozen=True, tag="welcomed"):
    """You are in. With `state`, forget what you knew; without it, the lines past your `seen` follow."""

    participant_id: str
    role: Role
    meeting_id: str
    room_slug: str
    room_title: str
    epoch: Epoch
    version: int
    state: MeetingState | None


class AskedToWait(Message, frozen=True, tag="asked-to-wait"):
    """You are in the waiting room; `welcomed` follows once a host lets you in, and nothing before that."""

    participant_id: str
    room_slug: str
    room_title: str


class WaitingPerson(Part, frozen=True):
    """Somebody who waits to be let in."""

    id: str
    name: str
    since: At


class WaitingRoom(Message, frozen=True, tag="waiting-room"):
    """Everybody who waits now, first come first; said to hosts when it changes, and to each who enters."""

    people: tuple[WaitingPerson, ...]


class Reacted(Message, frozen=True, tag="reacted"):
    """Somebody shows a sign for a moment."""

    participant_id: str
    reaction: str


class Headed(Message, frozen=True, tag="headed"):
    """The journal's head, every 2 s: whoever has seen less asks to resume; whoever hears nothing for 6 s reconnects."""

    sequence: Sequence


class Answered(Message, frozen=True, tag="answered"):
    """The relay's SDP answer to the offer `id`."""

    id: str
    epoch: Epoch
    sdp: str


class Refused(Message, frozen=True, tag="refused"):
    """A no with a stable code. `id` is that of the request, where it had one."""

    code: str
    detail: str
    id: str | None = None


class Done(Message, frozen=True, tag="done"):
    """The request `id` was heard: it `applied`, or the person was asked (`requested`)."""

    id: str
    outcome: Literal["applied", "requested"]


class Slot(Part, frozen=True):
    """One section (mid) of the `receive` connection, and whose track plays there."""

    mid: str
    kind: Kind
    participant_id: str
    origin: Origin


class SlotsAssigned(Message, frozen=True, tag="slots-assigned"):
    """Everything that plays in your slots from now on; a section not listed is empty."""

    epoch: Epoch
    slots: tuple[Slot, ...]


class Loudness(Part, frozen=True):
    """How loud someone is, 0 (silent) to 127."""

    participant_id: str
    level: int


class SpeakersHeard(Message, frozen=True, tag="speakers-heard"):
    """Who speaks now, loudest first."""

    epoch: Epoch
    speakers: tuple[Loudness, ...]


class OwnView(Part, frozen=True):
    """How tall one's picture is shown at most, to anybody; 0: nobody looks."""

    origin: Origin
    height_px: int


class LookedAt(Message, frozen=True, tag="looked-at"):
    """What anybody looks at of yours: layers above that, or all where it is 0, need not be sent."""

    epoch: Epoch
    views: tuple[OwnView, ...]


class HandedOver(Message, frozen=True, tag="handed-over"):
    """This server process is about to end: open a new socket within `within_ms`, then let this one go."""

    within_ms: int


class Requested(Message, frozen=True, tag="requested"):
    """A host asks you to unmute or to switch your camera on; only you can."""

    what: Literal["unmute", "camera-on"]
    by: str


# --- to the browser: lines of the journal ---------------------------------------------------------------------------
class Started(Message, frozen=True, tag="started"):
    """The meeting began."""

    sequence: Sequence
    at: At
    by: str


class Joined(Message, frozen=True, tag="joined"):
    """Someone entered."""

    sequence: Sequence
    at: At
    person: Person


class Left(Message, frozen=True, tag="left"):
    """Someone is gone."""

    sequence: Sequence
    at: At
    participant_id: str
    reason: Literal["left", "lost", "removed", "banned", "lobby", "ended"]
    by: str = ""
    """Who sent them out, where somebody did."""


class Muted(Message, frozen=True, tag="muted"):
    """Someone was muted, or may be heard again. `by` is a participant id, or `operator` or an integration's name."""

    sequence: Sequence
    at: At
    participant_id: str
    muted: bool
    by: str


class CameraSwitched(Message, frozen=True, tag="camera-switched"):
    """Someone's camera was switched."""

    sequence: Sequence
    at: At
    participant_id: str
    on: bool
    by: str


class ScreenSwitched(Message, frozen=True, tag="screen-switched"):
    """Someone began or ended sharing their screen."""

    sequence: Sequence
    at: At
    participant_id: str
    on: bool
    by: str


class HandRaised(Message, frozen=True, tag="hand-raised"):
    """Someone's hand went up (`at` gives its place in the order) or down."""

    sequence: Sequence
    at: At
    participant_id: str
    raised: bool
    by: str


class Renamed(Message, frozen=True, tag="renamed"):
    """Someone has another name."""

    sequence: Sequence
    at: At
    participant_id: str
    name: str
    by: str


class RoleChanged(Message, frozen=True, tag="role-changed"):
    """Someone may do more, or less, than before."""

    sequence: Sequence
    at: At
    participant_id: str
    role: Role
    by: str


class Spotlighted(Message, frozen=True, tag="spotlighted"):
    """Everybody sees this person large; None: nobody any more."""

    sequence: Sequence
    at: At
    participant_id: str | None
    by: str


class Locked(Message, frozen=True, tag="locked"):
    """Nobody new comes in any more, or may again."""

    sequence: Sequence
    at: At
    locked: bool
    by: str


class Decided(Message, frozen=True, tag="decided"):
    """A host let somebody in who waited, or did not."""

    sequence: Sequence
    at: At
    participant_id: str
    name: str
    admitted: bool
    by: str


class Said(Message, frozen=True, tag="said"):
    """Someone wrote."""

    sequence: Sequence
    at: At
    id: str
    participant_id: str
    name: str
    text: str


class Moved(Message, frozen=True, tag="moved"):
    """Another relay carries the meeting now: build new connections and offer again."""

    sequence: Sequence
    at: At
    epoch: Epoch
    reason: Literal["opened", "taken-over", "drained"]


class Ended(Message, frozen=True, tag="ended"):
    """The meeting is over."""

    sequence: Sequence
    at: At
    by: str


Line = (
    Started
    | Joined
    | Left
    | Muted
    | CameraSwitched
    | ScreenSwitched
    | HandRaised
    | Renamed
    | RoleChanged
    | Spotlighted
    | Locked
    | Decided
    | Said
    | Moved
    | Ended
)
News = (
    Welcomed
    | AskedToWait
    | WaitingRoom
    | Reacted
    | Headed
    | Answered
    | Refused
    | Done
    | SlotsAssigned
    | SpeakersHeard
    | LookedAt
    | HandedOver
    | Requested
)
ToBrowser = News | Line

from_browser: Codec[FromBrowser] = Codec(FromBrowser)
line_codec: Codec[Line] = Codec(Line)

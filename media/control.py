"""The words to and from a relay: a plan of what ought to be, commands that want an answer, reports of what is.

VERSION rises when an old relay could misread a new word; a relay refuses commands of another version.
Identifiers are opaque strings here: the media plane has never heard of rooms, users or databases.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

VERSION = 1

Kind = Literal["audio", "video"]
Origin = Literal["microphone", "camera", "screen", "screen-sound"]
Connection = Literal["send", "receive"]

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Epoch = Annotated[int, Meta(ge=0, description="rises each time another relay takes the meeting over")]


class Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="word"):
    """Base of everything said to or by a relay."""


class PlannedParticipant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the control plane wants of one person's tracks. What is false here goes nowhere."""

    id: Id
    audio: bool = True
    video: bool = True
    screen: bool = False
    """Picture and sound of a shared screen; also whether there is one to be seated."""


class Plan(Word, frozen=True, tag="plan"):
    """The whole truth about one meeting; the relay converges to it. Repeating it changes nothing.

    A participant who is not listed is disconnected.
    """

    meeting_id: Id
    epoch: Epoch
    participants: tuple[PlannedParticipant, ...] = ()


class Negotiate(Word, frozen=True, tag="negotiate"):
    """A browser's offer for one of its two connections; answered by Negotiated or Declined with the same correlation.

    A repeated `send` or `receive` replaces that participant's earlier connection of the same name, but only
    once the new one is up (make before break).
    """

    version: int
    correlation: Id
    meeting_id: Id
    epoch: Epoch
    participant_id: Id
    connection: Connection
    sdp: Annotated[str, Meta(max_length=128 * 1024)]
    origins: Annotated[
        dict[str, Origin],
        Meta(max_length=64, description="mid → what the browser sends there; `send` only"),
    ] = {}


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One picture that a page shows, and how tall: the layer is chosen by it."""

    participant_id: Id
    origin: Origin
    height_px: Annotated[int, Meta(ge=0, le=8192)]


class Watch(Word, frozen=True, tag="watch"):
    """What a participant's page shows, most important first: just these pictures fill its video slots.

    Everybody's sound comes anyway. Before the first Watch, whoever fits is shown.
    """

    version: int
    meeting_id: Id
    epoch: Epoch
    participant_id: Id
    views: Annotated[tuple[View, ...], Meta(max_length=64)]


Command = Plan | Negotiate | Watch


class Negotiated(Word, frozen=True, tag="negotiated"):
    """The answer to an offer."""

    correlation: Id
    meeting_id: Id
    epoch: Epoch
    participant_id: Id
    connection: Connection
    sdp: str


class Declined(Word, frozen=True, tag="declined"):
    """An offer that could not be answered; `code` is stable (`sdp.malformed`, `relay.unavailable`, ...)."""

    correlation: Id
    code: str
    detail: str


class ConnectionChanged(Word, frozen=True, tag="connection-changed"):
    """One of a participant's connections came up (DTLS done, keys checked) or went silent and was dropped."""

    meeting_id: Id
    epoch: Epoch
    participant_id: Id
    connection: Connection
    up: bool


class Assignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One slot of a `receive` connection (its SDP mid) and whose track plays there."""

    mid: str
    kind: Kind
    participant_id: str
    origin: Origin


class SlotsAssigned(Word, frozen=True, tag="slots-assigned"):
    """Everything that plays in one participant's slots from now on; a slot not listed is empty."""

    meeting_id: Id
    epoch: Epoch
    participant_id: Id
    assignments: tuple[Assignment, ...]


class Loudness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How loud someone is: 0 silence ... 127 loudest (127 minus the −dBov of RFC 6464)."""

    participant_id: str
    level: int


class SpeakersHeard(Word, frozen=True, tag="speakers-heard"):
    """Who speaks now, loudest first; said when it changes and at most five times a second while anyone speaks."""

    meeting_id: Id
    epoch: Epoch
    speakers: tuple[Loudness, ...]


class OwnView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How tall somebody's picture is shown at most, to anybody; 0: nobody looks."""

    origin: Origin
    height_px: int


class LookedAt(Word, frozen=True, tag="looked-at"):
    """What anybody looks at of a participant, said when it changes: what nobody looks at need not be sent."""

    meeting_id: Id
    epoch: Epoch
    participant_id: Id
    views: tuple[OwnView, ...]


Report = Negotiated | Declined | ConnectionChanged | SlotsAssigned | SpeakersHeard | LookedAt

"""What the kernel executes for one meeting: streams in, streams out, and which feeds which.

The core (`media.sfu`) decides this table some tens of times a second; the kernel executes it for each packet and
hands facts back. Identifiers are small integers chosen by the core; a *peer* is one browser connection.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["audio", "video"]
Codec = Literal["opus", "VP8", "H264", "VP9", "AV1"]


# --- the table ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class IngressExtensions:
    """Ids of the header extensions (RFC 8285) that a peer sends, 0 where not negotiated. One id space (BUNDLE)."""

    mid: int = 0
    rid: int = 0
    repaired_rid: int = 0
    audio_level: int = 0
    transport_cc: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """One RTP stream that a peer sends us. Those of one `track` (not 0) are layers of the same picture."""

    id: int
    peer: int
    kind: Kind
    codec: Codec
    ssrc: int
    payload_type: int
    clock_hz: int
    rtx_ssrc: int | None = None
    track: int = 0


@dataclass(frozen=True, slots=True)
class Sink:
    """One RTP stream that we send to a peer; a slot. `payload_types` has media and RTX numbers for each codec."""

    id: int
    peer: int
    kind: Kind
    ssrc: int
    rtx_ssrc: int | None
    payload_types: dict[Codec, tuple[int, int | None]]
    clock_hz: int
    extension: bytes
    """The whole header extension block of its packets (mid), or nothing."""


# --- changes, from the core -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class SetIngress:
    """What a peer's packets look like."""

    peer: int
    extensions: IngressExtensions


@dataclass(frozen=True, slots=True)
class AddSource:
    """Begin to receive."""

    source: Source


@dataclass(frozen=True, slots=True)
class Repair:
    """Packets of this SSRC repeat lost ones of a source (RTX, RFC 4588)."""

    source: int
    ssrc: int


@dataclass(frozen=True, slots=True)
class Align:
    """A source's timestamps plus `shift` (32 bit) are on the timeline that all layers of its track share."""

    source: int
    shift: int


@dataclass(frozen=True, slots=True)
class DropSource:
    """Forget a source and every route from it."""

    source: int


@dataclass(frozen=True, slots=True)
class AddSink:
    """Begin to send, once routed."""

    sink: Sink


@dataclass(frozen=True, slots=True)
class DropSink:
    """Forget a sink."""

    sink: int


@dataclass(frozen=True, slots=True)
class Route:
    """Feed a sink from a source, from its next keyframe on (audio: at once); None silences it.

    Until that keyframe the sink is silent, save where it plays another layer of the same track: that one goes on.
    """

    sink: int
    source: int | None


@dataclass(frozen=True, slots=True)
class Gate:
    """Let a source through, or let its packets go nowhere (mute). Reopened video waits for a keyframe."""

    source: int
    open: bool


@dataclass(frozen=True, slots=True)
class Resend:
    """Answer a NACK: these sequence numbers (16 bit, as sent) of a sink; video by RTX (RFC 4588), audio once more."""

    sink: int
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """Send once more what a sink sent since the last time of saying so: all of its sound, of pictures what was late."""

    sink: int


@dataclass(frozen=True, slots=True)
class Forget:
    """Stop waiting for lost packets of a source (extended sequence numbers)."""

    source: int
    sequences: tuple[int, ...]


Change = (
    SetIngress | AddSource | Repair | Align | DropSource | AddSink | DropSink | Route | Gate | Resend | Repeat | Forget
)


# --- facts, to the core ---------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class SourceFacts:
    """How a source has fared. Counters run since its beginning; loudness is of this interval."""

    id: int
    packets: int
    octets: int
    expected: int
    """Packets that ought to have come (RFC 3550 §A.3)."""
    highest: int
    """Extended highest sequence number."""
    jitter: int
    """In ticks (RFC 3550 §A.8)."""
    last_at_us: int
    missing: tuple[tuple[int, int], ...]
    """(extended sequence, noticed at µs), oldest first."""
    keyframes: int
    loudness: int
    """Mean of 127 − level (RFC 6464) over the interval's packets; 0 without any."""
    height_px: int = 0
    """Of the last keyframe; 0 where the codec does not say."""


@dataclass(frozen=True, slots=True)
class SinkFacts:
    """What a sink has sent, for its sender report. `timestamp_offset` is added to its source's timestamps."""

    id: int
    source: int
    timestamp_offset: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class UnknownStream:
    """A packet of an SSRC that no source claims, with what its header extensions say of it."""

    peer: int
    ssrc: int
    payload_type: int
    mid: str
    rid: str
    repaired_rid: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything since the last time of asking."""

    sources: tuple[SourceFacts, ...]
    waiting: tuple[int, ...]
    """Sources that a ready sink awaits a keyframe of."""
    arrivals: tuple[tuple[int, dict[int, int]], ...]
    """(peer, {extended transport-wide sequence: arrival µs})."""
    unknown: tuple[UnknownStream, ...]

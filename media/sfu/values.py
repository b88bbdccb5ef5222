"""What goes in and out of the router's door, besides the kernel's table and the words of `media.control`."""

from dataclasses import dataclass, field

from media.control import Origin, Report
from media.kernel.table import Change, Codec, IngressExtensions, Kind


@dataclass(frozen=True, slots=True)
class PublishedSection:
    """One section of a `send` connection, as answered. Without `ssrc` it is learnt from the mid of its packets, and
    with `rids` (simulcast) each layer from mid and rid.
    """

    mid: str
    kind: Kind
    origin: Origin
    codec: Codec
    payload_type: int
    clock_hz: int
    ssrc: int | None = None
    rtx_ssrc: int | None = None
    rids: tuple[str, ...] = ()
    rtx_payload_type: int | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything that one `send` connection carries."""

    extensions: IngressExtensions
    sections: tuple[PublishedSection, ...]


@dataclass(frozen=True, slots=True)
class SlotIdentity:
    """What a section of a `receive` connection will be called. Slots with one `stream_id` play in sync (a seat)."""

    mid: str
    kind: Kind
    ssrc: int
    rtx_ssrc: int | None
    stream_id: str


@dataclass(frozen=True, slots=True)
class SlotTerms:
    """What was negotiated for a slot; `extension` is the constant header extension block of its packets."""

    mid: str
    payload_types: dict[Codec, tuple[int, int | None]] = field(default_factory=dict)
    clock_hz: int = 90_000
    extension: bytes = b""


@dataclass(frozen=True, slots=True)
class SendRtcp:
    """Compound RTCP for a peer."""

    peer: int
    packet: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """A peer is no longer wanted: end its connection."""

    peer: int


Output = Change | SendRtcp | Close | Report

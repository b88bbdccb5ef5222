"""What the twin keeps of peers, sources and sinks: mutable, and made for the hot loop."""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from media.kernel.reception import Reception
from media.kernel.table import IngressExtensions, Sink, Source
from media.rtp.vp8 import Vp8Descriptor
from media.rtp.vp9 import Vp9Descriptor

HISTORY = 1024
"""Packets kept of a source for resending: about two seconds of 5 Mbit/s. Divides 65536, so 16 bits find the place."""

REPEATED_MOST = 16
"""Packets of a sink that are sent twice at one time of asking, at most: a third of a second of sound."""


class Egress(Protocol):
    """Where a peer's packets leave. All of it may change between two packets, when the browser moves."""

    ready: bool
    address: Any
    protect: Callable[[bytes], bytes]
    """SRTP (RFC 3711)."""
    sendto: Callable[[bytes, Any], Any]
    """Raises OSError when the packet could not be sent now."""


class Peer:
    """One connection: its way out, how its packets look, and the streams it owns."""

    __slots__ = ("arrivals", "egress", "extensions", "rtx", "sinks", "sources", "top")

    def __init__(self, egress: Egress) -> None:
        self.egress = egress
        self.extensions = IngressExtensions()
        self.sources: dict[int, SourceStream] = {}
        self.rtx: dict[int, SourceStream] = {}
        self.sinks: list[SinkStream] = []
        self.arrivals: dict[int, int] = {}
        self.top = -1


class SourceStream:
    """A stream that comes in."""

    __slots__ = (
        "entry",
        "height_px",
        "history",
        "keyframes",
        "loud_count",
        "loud_sum",
        "open",
        "reception",
        "shift",
        "sinks",
    )

    def __init__(self, entry: Source, on_gap: Callable[[range, int], None] | None = None) -> None:
        self.entry = entry
        self.open = True
        self.sinks: list[SinkStream] = []
        self.reception = Reception(entry.clock_hz, on_gap)
        self.history: list[tuple[int, int, int, bytes] | None] = [None] * HISTORY
        self.keyframes = self.loud_sum = self.loud_count = self.height_px = 0
        self.shift: int | None = None


class SinkStream:
    """A stream that goes out. It is among the sinks of `wanted` and, until the splice, of `current`."""

    __slots__ = (
        "behind",
        "current",
        "egress",
        "entry",
        "extension",
        "first",
        "flags",
        "last_at_us",
        "last_picture",
        "last_sequence",
        "last_timestamp",
        "last_tl0",
        "octets",
        "packets",
        "payload_type",
        "picture_offset",
        "repeated",
        "rtx_payload_type",
        "rtx_sequence",
        "sequence_offset",
        "ssrc",
        "timestamp_offset",
        "tl0_offset",
        "wanted",
    )

    def __init__(self, entry: Sink, egress: Egress) -> None:
        self.entry, self.egress = entry, egress
        self.ssrc, self.extension = entry.ssrc, entry.extension
        self.flags = 0x90 if entry.extension else 0x80
        self.wanted: SourceStream | None = None
        self.current: SourceStream | None = None
        self.payload_type, self.rtx_payload_type = 0, 0
        self.first = 0
        self.sequence_offset = self.timestamp_offset = self.picture_offset = self.tl0_offset = 0
        self.last_sequence = self.last_timestamp = -1
        self.last_at_us = 0
        self.last_picture = self.last_tl0 = -1
        self.packets = self.octets = 0
        self.rtx_sequence = 0
        self.repeated = -1
        self.behind: deque[int] = deque(maxlen=REPEATED_MOST)


def renumber(payload: bytes, numbers: Vp8Descriptor | Vp9Descriptor, sink: SinkStream) -> bytes:
    """The payload with picture id and TL0PICIDX moved on (RFC 7741 §4.2, RFC 9628 §4.2)."""
    body = bytearray(payload)
    if numbers.picture_id is not None and numbers.picture_id_position is not None:
        moved = numbers.picture_id + sink.picture_offset
        if numbers.picture_id_bytes == 2:
            body[numbers.picture_id_position] = 0x80 | moved >> 8 & 0x7F
            body[numbers.picture_id_position + 1] = moved & 0xFF
        else:
            body[numbers.picture_id_position] = moved & 0x7F
    if numbers.tl0picidx is not None and numbers.tl0picidx_position is not None:
        body[numbers.tl0picidx_position] = (numbers.tl0picidx + sink.tl0_offset) & 0xFF
    return bytes(body)

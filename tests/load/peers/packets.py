"""The load's media packets: VP8 (RFC 7741) as a browser would send it, with a stamp inside. Pure."""

import struct
from dataclasses import dataclass

from tests.load.peers.shapes import PACKETS_PER_FRAME

PACKET_BYTES = 1200
"""Of the whole RTP packet before SRTP: what browsers fill a packet up to."""
KEYFRAME_EVERY = 50
"""Frames: two seconds."""

_HEADER = struct.Struct("!BBHII")
_STAMP = struct.Struct("!QIQ")
_KEYFRAME = bytes((0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x00, 0x05, 0xD0, 0x02))
"""A VP8 key frame's tag, start code and 1280x720 (RFC 6386 §9.1)."""
_DELTA = bytes((0x11, *bytes(9)))
_DESCRIPTOR_BYTES = 6
_STAMP_AT = _DESCRIPTOR_BYTES + len(_KEYFRAME)


@dataclass(frozen=True, slots=True)
class Stream:
    """What a publisher's packets look like. Extension ids are 0 where not negotiated."""

    ssrc: int
    payload_type: int
    mid: str
    mid_id: int = 0
    transport_cc_id: int = 0


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a packet says of itself: when it was sent (ns since 1970), by which publisher, its number there."""

    sent_ns: int
    publisher: int
    number: int


class PacketWriter:
    """Writes one publisher's packets, in order."""

    def __init__(self, publisher: int, stream: Stream) -> None:
        self._publisher, self._stream = publisher, stream
        self.number = 0
        self._frame = 0
        self._since_key = 0
        self._key = True
        self._timestamp = 0
        self._filling = bytes((publisher * 37 + i) & 0xFF for i in range(PACKET_BYTES))

    def want_keyframe(self) -> None:
        """The next frame is one."""
        self._since_key = KEYFRAME_EVERY

    def write(self, now_ns: int) -> bytes:
        """The next packet, unprotected. A frame's packets share the timestamp of its first (90 kHz)."""
        place = self.number % PACKETS_PER_FRAME
        first, last = place == 0, place == PACKETS_PER_FRAME - 1
        if first:
            self._timestamp = now_ns * 9 // 100_000 & 0xFFFFFFFF
            self._key = self.number == 0 or self._since_key >= KEYFRAME_EVERY
            self._since_key = 1 if self._key else self._since_key + 1
            self._frame += 1
        stream, sequence = self._stream, self.number & 0xFFFF
        block = _extension_block(stream, sequence)
        header = _HEADER.pack(
            0x90 if block else 0x80, stream.payload_type | last << 7, sequence, self._timestamp, stream.ssrc
        )
        picture = self._frame
        # X S | I L T | 15-bit picture id | TL0PICIDX | TID 0
        descriptor = bytes((0x80 | first << 4, 0xE0, 0x80 | picture >> 8 & 0x7F, picture & 0xFF, picture & 0xFF, 0))
        body = _KEYFRAME if first and self._key else _DELTA
        stamp = _STAMP.pack(now_ns, self._publisher, self.number)
        self.number += 1
        start = header + block + descriptor + body + stamp
        return start + self._filling[len(start) :]


def _extension_block(stream: Stream, sequence: int) -> bytes:
    """RFC 8285 §4.2; the transport-wide number counts as the sequence number does, for there is one stream."""
    elements = b""
    if stream.mid_id:
        mid = stream.mid.encode()
        elements += bytes((stream.mid_id << 4 | len(mid) - 1,)) + mid
    if stream.transport_cc_id:
        elements += struct.pack("!BH", stream.transport_cc_id << 4 | 1, sequence)
    if not elements:
        return b""
    words = -(-len(elements) // 4)
    return struct.pack("!HH", 0xBEDE, words) + elements.ljust(4 * words, b"\0")


def read_stamp(packet: bytes) -> tuple[int, Stamp, bool]:
    """(SSRC, stamp, whether every other byte is as it was sent). Raise struct.error for a packet not of ours."""
    flags, _, _, _, ssrc = _HEADER.unpack_from(packet)
    at = 12
    if flags & 0x10:
        at += 4 + 4 * struct.unpack_from("!H", packet, at + 2)[0]
    stamp = Stamp(*_STAMP.unpack_from(packet, at + _STAMP_AT))
    rest = packet[at + _STAMP_AT + _STAMP.size :]
    # The writer fills to PACKET_BYTES whatever its header took, so the filling is known from its end.
    filling = bytes((stamp.publisher * 37 + i) & 0xFF for i in range(PACKET_BYTES - len(rest), PACKET_BYTES))
    return ssrc, stamp, rest == filling

"""One RTP packet (RFC 3550 §5.1) between bytes and values, and its retransmission form (RFC 4588)."""

import struct
from dataclasses import dataclass, replace

_FIXED = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")
FIXED_BYTES = _FIXED.size


class MalformedPacket(ValueError):
    """The bytes are not what their header says. The only error that the parsers of this package raise."""


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet. `timestamp` is in ticks of the payload's clock; `padding_bytes` counts the padding's own length byte.

    `extension_profile` is None where the X bit is clear; `extension` is then empty. Its length is a multiple of
    four bytes.
    """

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes = b""
    marker: bool = False
    csrcs: tuple[int, ...] = ()
    extension_profile: int | None = None
    extension: bytes = b""
    padding_bytes: int = 0


def is_rtcp(data: bytes) -> bool:
    """Whether a packet of an RTP/RTCP multiplex is RTCP (RFC 5761 §4: second byte 192 ... 223)."""
    return len(data) > 1 and 192 <= data[1] <= 223


def parse_packet(data: bytes) -> RtpPacket:
    """Read one packet (RFC 3550 §5.1). Raises MalformedPacket where a length does not hold or the version is not 2."""
    if len(data) < FIXED_BYTES:
        raise MalformedPacket("shorter than the fixed header")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
    if first >> 6 != 2:
        raise MalformedPacket("version is not 2")
    position = FIXED_BYTES
    csrc_count = first & 0x0F
    if len(data) < position + 4 * csrc_count:
        raise MalformedPacket("contributing sources are cut off")
    csrcs = struct.unpack_from(f"!{csrc_count}I", data, position)
    position += 4 * csrc_count
    profile: int | None = None
    extension = b""
    if first & 0x10:
        if len(data) < position + 4:
            raise MalformedPacket("extension header is cut off")
        profile, words = _EXTENSION.unpack_from(data, position)
        position += 4
        if len(data) < position + 4 * words:
            raise MalformedPacket("extension is cut off")
        extension = bytes(data[position : position + 4 * words])
        position += 4 * words
    end = len(data)
    padding_bytes = 0
    if first & 0x20:
        padding_bytes = data[-1]
        if padding_bytes == 0 or position + padding_bytes > end:
            raise MalformedPacket("padding is longer than the payload, or none")
        end -= padding_bytes
    return RtpPacket(
        payload_type=second & 0x7F,
        sequence=sequence,
        timestamp=timestamp,
        ssrc=ssrc,
        payload=bytes(data[position:end]),
        marker=bool(second & 0x80),
        csrcs=csrcs,
        extension_profile=profile,
        extension=extension,
        padding_bytes=padding_bytes,
    )


def build_packet(packet: RtpPacket) -> bytes:
    """The bytes of a packet; the inverse of `parse_packet`, save that padding is written as zeros."""
    first = 0x80 | len(packet.csrcs)
    parts = [struct.pack(f"!{len(packet.csrcs)}I", *packet.csrcs)]
    if packet.extension_profile is not None:
        first |= 0x10
        parts.append(_EXTENSION.pack(packet.extension_profile, len(packet.extension) // 4))
        parts.append(packet.extension)
    parts.append(packet.payload)
    if packet.padding_bytes:
        first |= 0x20
        parts.append(bytes(packet.padding_bytes - 1))
        parts.append(bytes((packet.padding_bytes,)))
    second = packet.payload_type | (0x80 if packet.marker else 0)
    header = _FIXED.pack(first, second, packet.sequence, packet.timestamp, packet.ssrc)
    return b"".join((header, *parts))


def wrap_rtx(packet: RtpPacket, *, payload_type: int, sequence: int, ssrc: int) -> RtpPacket:
    """The retransmission of a packet (RFC 4588 §4): its own stream, the original sequence number before the payload."""
    return replace(
        packet,
        payload_type=payload_type,
        sequence=sequence,
        ssrc=ssrc,
        payload=packet.sequence.to_bytes(2, "big") + packet.payload,
        padding_bytes=0,
    )


def unwrap_rtx(packet: RtpPacket, *, payload_type: int, ssrc: int) -> RtpPacket:
    """The original of a retransmission (RFC 4588 §4).

    Raises MalformedPacket where there is no original sequence number: Chromium probes the path with padding
    alone on the retransmission stream, which is to be counted and dropped.
    """
    if len(packet.payload) < 2:
        raise MalformedPacket("a retransmission without an original sequence number")
    return replace(
        packet,
        payload_type=payload_type,
        sequence=int.from_bytes(packet.payload[:2], "big"),
        ssrc=ssrc,
        payload=packet.payload[2:],
        padding_bytes=0,
    )

"""Compound RTCP to values (RFC 3550 §6, RFC 4585 §6, RFC 5104 §4.3.1, draft-alvestrand-rmcat-remb)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from media.rtp.packets import MalformedPacket

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, BYE = 200, 201, 202, 203
TRANSPORT_LAYER_FEEDBACK, PAYLOAD_SPECIFIC_FEEDBACK = 205, 206
NACK_FORMAT, TRANSPORT_CC_FORMAT = 1, 15
PLI_FORMAT, FIR_FORMAT, APPLICATION_FORMAT = 1, 4, 15
CNAME = 1

_BLOCK = struct.Struct("!IIIIII")
_SENDER = struct.Struct("!IQIII")
_SSRC_PAIR = struct.Struct("!II")
_NACK_ITEM = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """Reception of one source (RFC 3550 §6.4.1). `fraction_lost` is in 1/256; `jitter` in ticks.

    `last_sender_report` is the middle 32 bits of that report's NTP time, `delay_since` in 1/65536 s.
    """

    ssrc: int
    fraction_lost: int
    packets_lost: int
    highest_sequence: int
    jitter: int
    last_sender_report: int
    delay_since: int


@dataclass(frozen=True, slots=True)
class SenderReport:
    """RFC 3550 §6.4.1. `ntp` is 32.32 fixed-point seconds since 1900; `timestamp` the same instant in ticks."""

    ssrc: int
    ntp: int
    timestamp: int
    packet_count: int
    octet_count: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """RFC 3550 §6.4.2."""

    ssrc: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One chunk of a source description: (item type, bytes) in their order; type 1 is the CNAME."""

    ssrc: int
    items: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """RFC 3550 §6.5."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Bye:
    """RFC 3550 §6.6."""

    ssrcs: tuple[int, ...]
    reason: bytes = b""


@dataclass(frozen=True, slots=True)
class Nack:
    """RFC 4585 §6.2.1, with the bit masks expanded into 16-bit sequence numbers, in the order asked for."""

    sender_ssrc: int
    media_ssrc: int
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PictureLoss:
    """RFC 4585 §6.3.1: the receiver wants a keyframe."""

    sender_ssrc: int
    media_ssrc: int


@dataclass(frozen=True, slots=True)
class FullIntraRequest:
    """RFC 5104 §4.3.1: (ssrc, command number) of each source to send a keyframe; a number said twice is one demand."""

    sender_ssrc: int
    requests: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """A transport-wide congestion control feedback; `media.rtp.transport_cc.parse_feedback` reads its body."""

    sender_ssrc: int
    media_ssrc: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Remb:
    """Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03 §2.2)."""

    sender_ssrc: int
    bitrate_bps: int
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """A well-formed packet that the relay does not read (APP, XR, TMMBR, ...). `count` is the header's 5-bit field."""

    packet_type: int
    count: int
    body: bytes


Rtcp = (
    SenderReport
    | ReceiverReport
    | SourceDescription
    | Bye
    | Nack
    | PictureLoss
    | FullIntraRequest
    | TransportFeedback
    | Remb
    | Other
)


def parse_compound(data: bytes) -> tuple[Rtcp, ...]:
    """Every packet of a compound, reduced-size ones included (RFC 5506: any type may come first).

    Raises MalformedPacket where a length does not hold; what is merely unknown becomes Other.
    """
    return tuple(_parse_each(data))


def _parse_each(data: bytes) -> Iterator[Rtcp]:
    position = 0
    if not data:
        raise MalformedPacket("an empty compound")
    while position < len(data):
        if len(data) - position < 4:
            raise MalformedPacket("RTCP header is cut off")
        first, packet_type, words = struct.unpack_from("!BBH", data, position)
        if first >> 6 != 2:
            raise MalformedPacket("version is not 2")
        end = position + 4 + 4 * words
        if end > len(data):
            raise MalformedPacket("RTCP packet is cut off")
        body = bytes(data[position + 4 : end])
        if first & 0x20:
            if not body or body[-1] == 0 or body[-1] > len(body):
                raise MalformedPacket("padding is longer than the packet, or none")
            body = body[: -body[-1]]
        yield _parse_one(packet_type, first & 0x1F, body)
        position = end


def _parse_one(packet_type: int, count: int, body: bytes) -> Rtcp:
    match packet_type:
        case 200:
            _require(body, _SENDER.size)
            ssrc, ntp, timestamp, packets, octets = _SENDER.unpack_from(body)
            return SenderReport(ssrc, ntp, timestamp, packets, octets, _parse_blocks(body, _SENDER.size, count))
        case 201:
            _require(body, 4)
            return ReceiverReport(int.from_bytes(body[:4], "big"), _parse_blocks(body, 4, count))
        case 202:
            return _parse_description(body, count)
        case 203:
            return _parse_bye(body, count)
        case 205:
            return _parse_transport_layer(body, count)
        case 206:
            return _parse_payload_specific(body, count)
        case _:
            return Other(packet_type, count, body)


def _require(body: bytes, size: int) -> None:
    if len(body) < size:
        raise MalformedPacket("RTCP body is too short")


def _parse_blocks(body: bytes, position: int, count: int) -> tuple[ReportBlock, ...]:
    _require(body, position + _BLOCK.size * count)
    blocks = []
    for index in range(count):
        ssrc, loss, highest, jitter, last, delay = _BLOCK.unpack_from(body, position + _BLOCK.size * index)
        lost = loss & 0xFF_FFFF
        blocks.append(
            ReportBlock(ssrc, loss >> 24, lost - 0x100_0000 if lost & 0x80_0000 else lost, highest, jitter, last, delay)
        )
    return tuple(blocks)


def _parse_description(body: bytes, count: int) -> SourceDescription:
    sources = []
    position = 0
    for _ in range(count):
        _require(body, position + 4)
        ssrc = int.from_bytes(body[position : position + 4], "big")
        position += 4
        items = []
        while True:
            _require(body, position + 1)
            kind = body[position]
            if kind == 0:
                # The chunk ends with one to four zero bytes, at the next word.
                position += 4 - position % 4
                break
            _require(body, position + 2)
            size = body[position + 1]
            _require(body, position + 2 + size)
            items.append((kind, body[position + 2 : position + 2 + size]))
            position += 2 + size
        sources.append(Source(ssrc, tuple(items)))
    return SourceDescription(tuple(sources))


def _parse_bye(body: bytes, count: int) -> Bye:
    _require(body, 4 * count)
    reason = b""
    if len(body) > 4 * count:
        size = body[4 * count]
        _require(body, 4 * count + 1 + size)
        reason = body[4 * count + 1 : 4 * count + 1 + size]
    return Bye(struct.unpack_from(f"!{count}I", body), reason)


def _parse_transport_layer(body: bytes, form: int) -> Rtcp:
    _require(body, 8)
    sender_ssrc, media_ssrc = _SSRC_PAIR.unpack_from(body)
    if form == TRANSPORT_CC_FORMAT:
        return TransportFeedback(sender_ssrc, media_ssrc, body[8:])
    if form != NACK_FORMAT:
        return Other(TRANSPORT_LAYER_FEEDBACK, form, body)
    if len(body) % 4:
        raise MalformedPacket("a NACK of broken items")
    sequences = []
    for first, mask in _NACK_ITEM.iter_unpack(body[8:]):
        sequences.append(first)
        sequences.extend(first + bit + 1 & 0xFFFF for bit in range(16) if mask >> bit & 1)
    return Nack(sender_ssrc, media_ssrc, tuple(sequences))


def _parse_payload_specific(body: bytes, form: int) -> Rtcp:
    _require(body, 8)
    sender_ssrc, media_ssrc = _SSRC_PAIR.unpack_from(body)
    if form == PLI_FORMAT:
        return PictureLoss(sender_ssrc, media_ssrc)
    if form == FIR_FORMAT:
        if len(body) % 8:
            raise MalformedPacket("a FIR of broken items")
        items = struct.iter_unpack("!IB3x", body[8:])
        return FullIntraRequest(sender_ssrc, tuple((ssrc, number) for ssrc, number in items))
    if form == APPLICATION_FORMAT and body[8:12] == b"REMB":
        _require(body, 16)
        count, exponent = body[12], body[13] >> 2
        mantissa = (body[13] & 3) << 16 | body[14] << 8 | body[15]
        _require(body, 16 + 4 * count)
        return Remb(sender_ssrc, mantissa << exponent, struct.unpack_from(f"!{count}I", body, 16))
    return Other(PAYLOAD_SPECIFIC_FEEDBACK, form, body)

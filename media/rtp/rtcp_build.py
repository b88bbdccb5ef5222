"""Values to RTCP bytes: each function gives one packet; a compound is their concatenation (RFC 3550 §6.1)."""

import struct
from collections.abc import Iterable, Sequence

from media.rtp.rtcp import (
    APPLICATION_FORMAT,
    BYE,
    CNAME,
    FIR_FORMAT,
    NACK_FORMAT,
    PAYLOAD_SPECIFIC_FEEDBACK,
    PLI_FORMAT,
    RECEIVER_REPORT,
    SENDER_REPORT,
    SOURCE_DESCRIPTION,
    TRANSPORT_LAYER_FEEDBACK,
    ReportBlock,
)
from media.rtp.sequence import distance16

_HEADER = struct.Struct("!BBH")
_NTP_EPOCH_S = 2_208_988_800  # 1900-01-01 to 1970-01-01


def rtcp_packet(packet_type: int, count: int, body: bytes) -> bytes:
    """A header before a body, whose length is a multiple of four bytes; `count` is the 5-bit field."""
    return _HEADER.pack(0x80 | count, packet_type, len(body) // 4) + body


def ntp_time(unix_us: int) -> int:
    """32.32 fixed-point seconds since 1900 (RFC 3550 §4) of microseconds since 1970, for a sender report."""
    return (unix_us + _NTP_EPOCH_S * 1_000_000 << 32) // 1_000_000 & 0xFFFF_FFFF_FFFF_FFFF


def sender_report(
    ssrc: int,
    *,
    ntp: int,
    timestamp: int,
    packet_count: int,
    octet_count: int,
    reports: Sequence[ReportBlock] = (),
) -> bytes:
    """RFC 3550 §6.4.1; the counts wrap at 32 bits. At most 31 reports."""
    body = struct.pack("!IQIII", ssrc, ntp, timestamp, packet_count & 0xFFFF_FFFF, octet_count & 0xFFFF_FFFF)
    return rtcp_packet(SENDER_REPORT, len(reports), body + _blocks(reports))


def receiver_report(ssrc: int, reports: Sequence[ReportBlock] = ()) -> bytes:
    """RFC 3550 §6.4.2. At most 31 reports."""
    return rtcp_packet(RECEIVER_REPORT, len(reports), ssrc.to_bytes(4, "big") + _blocks(reports))


def _blocks(reports: Iterable[ReportBlock]) -> bytes:
    return b"".join(
        struct.pack(
            "!IIIIII",
            block.ssrc,
            block.fraction_lost << 24 | max(-0x80_0000, min(0x7F_FFFF, block.packets_lost)) & 0xFF_FFFF,
            block.highest_sequence & 0xFFFF_FFFF,
            block.jitter,
            block.last_sender_report,
            block.delay_since,
        )
        for block in reports
    )


def source_description(ssrc: int, cname: str) -> bytes:
    """RFC 3550 §6.5.1: one source and its CNAME of at most 255 bytes."""
    name = cname.encode()
    chunk = struct.pack("!IBB", ssrc, CNAME, len(name)) + name
    return rtcp_packet(SOURCE_DESCRIPTION, 1, chunk + bytes(4 - len(chunk) % 4))


def bye(*ssrcs: int) -> bytes:
    """RFC 3550 §6.6. At most 31 sources."""
    return rtcp_packet(BYE, len(ssrcs), struct.pack(f"!{len(ssrcs)}I", *ssrcs))


def nack(sender_ssrc: int, media_ssrc: int, sequences: Sequence[int]) -> bytes:
    """RFC 4585 §6.2.1: ask again for 16-bit sequence numbers, given oldest first (a wrap in between is fine)."""
    items: list[tuple[int, int]] = []
    for sequence in sequences:
        ahead = distance16(sequence, items[-1][0]) if items else 0
        if items and 1 <= ahead <= 16:
            items[-1] = (items[-1][0], items[-1][1] | 1 << ahead - 1)
        elif not items or ahead:
            items.append((sequence, 0))
    body = b"".join(struct.pack("!HH", *item) for item in items)
    return rtcp_packet(TRANSPORT_LAYER_FEEDBACK, NACK_FORMAT, struct.pack("!II", sender_ssrc, media_ssrc) + body)


def pli(sender_ssrc: int, media_ssrc: int) -> bytes:
    """RFC 4585 §6.3.1: ask for a keyframe."""
    return rtcp_packet(PAYLOAD_SPECIFIC_FEEDBACK, PLI_FORMAT, struct.pack("!II", sender_ssrc, media_ssrc))


def fir(sender_ssrc: int, media_ssrc: int, command: int) -> bytes:
    """RFC 5104 §4.3.1: demand a keyframe; `command` rises by one (mod 256) with each new demand."""
    body = struct.pack("!IIIB3x", sender_ssrc, 0, media_ssrc, command)
    return rtcp_packet(PAYLOAD_SPECIFIC_FEEDBACK, FIR_FORMAT, body)


def remb(sender_ssrc: int, bitrate_bps: int, ssrcs: Sequence[int]) -> bytes:
    """draft-alvestrand-rmcat-remb-03 §2.2: what the receiver thinks it can take, rounded down to an 18-bit mantissa."""
    exponent = max(0, bitrate_bps.bit_length() - 18)
    mantissa = bitrate_bps >> exponent
    head = struct.pack("!II4sI", sender_ssrc, 0, b"REMB", len(ssrcs) << 24 | exponent << 18 | mantissa)
    body = head + struct.pack(f"!{len(ssrcs)}I", *ssrcs)
    return rtcp_packet(PAYLOAD_SPECIFIC_FEEDBACK, APPLICATION_FORMAT, body)

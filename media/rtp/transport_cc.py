"""Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1), both ways.

A packet says for each transport-wide sequence number from a base on whether and when it came: 16-bit status chunks
(a run of one symbol, 14 one-bit or 7 two-bit symbols), then one delta for each that came, in ticks of 250 µs against
the one before: one byte unsigned, or two bytes signed for long gaps and reordering. The first counts from a reference
time of 24 bits in 64 ms.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from media.rtp.packets import MalformedPacket
from media.rtp.rtcp import TRANSPORT_CC_FORMAT, TRANSPORT_LAYER_FEEDBACK
from media.rtp.rtcp_build import rtcp_packet

TICK_US = 250
REFERENCE_US = 64_000
_TICKS_PER_REFERENCE = REFERENCE_US // TICK_US
_LOST, _SMALL, _LARGE = 0, 1, 2
# 2,000 statuses are at most 572 bytes of chunks and 300 arrivals 600 bytes of deltas: below the path's MTU together.
_MOST_STATUSES = 2_000
_MOST_ARRIVALS = 300


@dataclass(frozen=True, slots=True)
class Feedback:
    """One feedback. `arrivals` is (16-bit sequence, µs or None where it never came), in the order of sequence.

    The µs count from the sender of the feedback's own zero, modulo 2^24 × 64 ms.
    """

    feedback_count: int
    arrivals: tuple[tuple[int, int | None], ...]


def build_feedback(
    sender_ssrc: int,
    media_ssrc: int,
    feedback_count: int,
    arrivals: Mapping[int, int],
    *,
    base: int | None = None,
) -> tuple[bytes, ...]:
    """RTCP packets that tell extended sequence → arrival in µs; the k-th carries feedback_count + k (mod 256).

    `base` is the first sequence to speak of (what was lost before the first arrival); the first arrival without it.
    There is more than one packet where the arrivals are many, or too far apart for one: a gap of more than 2,000 lost
    sequences is passed over in silence.
    """
    packets: list[bytes] = []
    ordered = sorted(arrivals.items())
    while ordered:
        first = ordered[0][0]
        start = base if base is not None and 0 <= first - base < _MOST_STATUSES else first
        reference = ordered[0][1] // REFERENCE_US
        symbols: list[int] = []
        deltas: list[bytes] = []
        previous = reference * _TICKS_PER_REFERENCE
        for sequence, arrival_us in ordered:
            tick = arrival_us // TICK_US
            delta = tick - previous
            gap = sequence - start - len(symbols)
            if len(deltas) >= _MOST_ARRIVALS or sequence - start >= _MOST_STATUSES or not -0x8000 <= delta <= 0x7FFF:
                break
            symbols.extend([_LOST] * gap)
            if 0 <= delta <= 0xFF:
                symbols.append(_SMALL)
                deltas.append(bytes((delta,)))
            else:
                symbols.append(_LARGE)
                deltas.append(struct.pack("!h", delta))
            previous = tick
        ordered = ordered[len(deltas) :]
        base = start + len(symbols)
        head = struct.pack(
            "!IIHHI",
            sender_ssrc,
            media_ssrc,
            start & 0xFFFF,
            len(symbols),
            (reference & 0xFF_FFFF) << 8 | feedback_count + len(packets) & 0xFF,
        )
        body = head + _chunks(symbols) + b"".join(deltas)
        packets.append(_padded(body))
    return tuple(packets)


def _padded(body: bytes) -> bytes:
    missing = -len(body) % 4
    if not missing:
        return rtcp_packet(TRANSPORT_LAYER_FEEDBACK, TRANSPORT_CC_FORMAT, body)
    padded = body + bytes(missing - 1) + bytes((missing,))
    # 0x20 is the P bit, which lies directly above the five bits of the format.
    return rtcp_packet(TRANSPORT_LAYER_FEEDBACK, TRANSPORT_CC_FORMAT | 0x20, padded)


def _chunks(symbols: list[int]) -> bytes:
    chunks: list[int] = []
    position, end = 0, len(symbols)
    while position < end:
        symbol = symbols[position]
        run = 1
        while position + run < end and run < 0x1FFF and symbols[position + run] == symbol:
            run += 1
        if run >= 14 or position + run == end or (run >= 7 and symbol == _LARGE):
            chunks.append(symbol << 13 | run)
            position += run
        elif _LARGE in symbols[position : position + 14]:
            chunks.append(0xC000 | _vector(symbols[position : position + 7], 2))
            position += 7
        else:
            chunks.append(0x8000 | _vector(symbols[position : position + 14], 1))
            position += 14
    return struct.pack(f"!{len(chunks)}H", *chunks)


def _vector(symbols: list[int], width: int) -> int:
    value = 0
    for index, symbol in enumerate(symbols):
        value |= symbol << 14 - width * (index + 1)
    return value


def parse_feedback(body: bytes) -> Feedback:
    """Read the body of a TransportFeedback (what follows the two SSRCs).

    Raises MalformedPacket where chunks or deltas are cut off or a status is reserved.
    """
    if len(body) < 8:
        raise MalformedPacket("transport feedback is too short")
    base, count, times = struct.unpack_from("!HHI", body)
    symbols: list[int] = []
    position = 8
    while len(symbols) < count:
        if position + 2 > len(body):
            raise MalformedPacket("status chunk is cut off")
        chunk = int.from_bytes(body[position : position + 2], "big")
        position += 2
        if not chunk & 0x8000:
            symbols.extend([chunk >> 13 & 3] * min(chunk & 0x1FFF, count - len(symbols)))
        elif chunk & 0x4000:
            symbols.extend(chunk >> shift & 3 for shift in range(12, -2, -2))
        else:
            symbols.extend(chunk >> shift & 1 for shift in range(13, -1, -1))
    arrivals: list[tuple[int, int | None]] = []
    tick = (times >> 8) * _TICKS_PER_REFERENCE
    for index, symbol in enumerate(symbols[:count]):
        sequence = base + index & 0xFFFF
        if symbol == _LOST:
            arrivals.append((sequence, None))
            continue
        if symbol > _LARGE:
            raise MalformedPacket("a reserved status")
        if position + symbol > len(body):
            raise MalformedPacket("delta is cut off")
        tick += int.from_bytes(body[position : position + symbol], "big", signed=symbol == _LARGE)
        position += symbol
        arrivals.append((sequence, tick * TICK_US))
    return Feedback(times & 0xFF, tuple(arrivals))

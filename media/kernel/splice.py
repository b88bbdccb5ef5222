"""Where a sink's numbers go on after it changed its source, and what a packet looks like when it is sent again."""

import struct

from media.kernel.streams import SinkStream, SourceStream, renumber
from media.rtp.vp8 import Vp8Descriptor
from media.rtp.vp8 import parse_descriptor as parse_vp8
from media.rtp.vp9 import Vp9Descriptor
from media.rtp.vp9 import parse_descriptor as parse_vp9

_pack_header = struct.Struct("!BBHII").pack
_SEQUENCE = struct.Struct("!H")


def splice(
    sink: SinkStream,
    source: SourceStream,
    full: int,
    timestamp: int,
    numbers: Vp8Descriptor | Vp9Descriptor | None,
    now_us: int,
) -> None:
    """From this packet on the sink plays this source; a layer that played until now lets it go."""
    sink.payload_type, rtx = sink.entry.payload_types.get(source.entry.codec, (0, None))
    sink.rtx_payload_type = rtx or 0
    layer = sink.current
    sink.current, sink.first = source, full
    if layer is not None:
        layer.sinks.remove(sink)
    if sink.last_sequence < 0:
        return  # its first source: that stream's own numbers will do
    sink.sequence_offset = sink.last_sequence + 1 - full
    if layer is not None and layer.shift is not None and source.shift is not None:
        moved = sink.timestamp_offset + source.shift - layer.shift
        ahead = (timestamp + moved - sink.last_timestamp) & 0xFFFFFFFF
        if not 0 < ahead < 0x80000000:  # the other layer already sent this picture: time may not stand still
            moved += 1 - (ahead - 0x100000000 if ahead else 0)
        sink.timestamp_offset = moved & 0xFFFFFFFF
    else:
        elapsed = max(1, (now_us - sink.last_at_us) * sink.entry.clock_hz // 1_000_000)
        sink.timestamp_offset = (sink.last_timestamp + elapsed - timestamp) & 0xFFFFFFFF
    if numbers is not None and numbers.picture_id is not None and sink.last_picture >= 0:
        sink.picture_offset = sink.last_picture + 1 - numbers.picture_id
        if numbers.tl0picidx is not None and sink.last_tl0 >= 0:
            sink.tl0_offset = sink.last_tl0 + 1 - numbers.tl0picidx


def resent(sink: SinkStream, source: SourceStream, sequence: int, kept: tuple[int, int, int, bytes]) -> bytes:
    """A packet of the history, as RTX; sound byte for byte as it was sent: SRTP demands it of a repeated number."""
    _, marker, timestamp, body = kept
    timestamp = (timestamp + sink.timestamp_offset) & 0xFFFFFFFF
    if source.entry.kind == "audio":
        header = _pack_header(sink.flags, marker | sink.payload_type, sequence, timestamp, sink.ssrc)
        return header + sink.extension + body
    if sink.picture_offset or sink.tl0_offset:
        if source.entry.codec == "VP8":
            body = renumber(body, parse_vp8(body), sink)
        elif source.entry.codec == "VP9":
            body = renumber(body, parse_vp9(body), sink)
    sink.rtx_sequence = (sink.rtx_sequence + 1) & 0xFFFF
    rtx_ssrc = sink.entry.rtx_ssrc or 0
    header = _pack_header(sink.flags, marker | sink.rtx_payload_type, sink.rtx_sequence, timestamp, rtx_ssrc)
    return header + sink.extension + _SEQUENCE.pack(sequence) + body

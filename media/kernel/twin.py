"""The kernel in plain Python: it executes the table of one meeting, packet by packet.

Theory of operation. A packet arrives unprotected. Its header says which source it belongs to; the source's reception
(what came, what is missing) is brought up to date, its payload is kept in a ring for resending, and then each sink
that the source feeds gets its copy: SSRC, sequence number, timestamp, payload type and header extension are those of
the sink, the payload is the source's own, save for VP8 picture numbers after a splice. The bytes are protected and
sent at once.

A sink joins a source by a *splice*: on a keyframe (audio: any packet) its offsets are set so that sequence numbers go
on by one, timestamps by the time that passed, and picture ids by one (RFC 7741 §4.2, RFC 9628 §4.2). Between layers of
one track it plays the old one up to the splice, and goes on in that one's timestamps where both were aligned.
Packets older than the splice do not reach that sink. A sink whose peer is not ready yet is not spliced: a keyframe
spent on a peer without keys would cost it a second.

Nothing here reads a clock or a socket: time comes with the packet, in microseconds; bytes leave through an egress.
"""

import struct
from collections.abc import Callable, Iterable
from functools import partial
from typing import assert_never

from media.figures import Counters
from media.kernel.splice import resent, splice
from media.kernel.streams import HISTORY, REPEATED_MOST, Egress, Peer, SinkStream, SourceStream, renumber
from media.kernel.table import (
    AddSink,
    AddSource,
    Align,
    Change,
    DropSink,
    DropSource,
    Facts,
    Forget,
    Gate,
    Repair,
    Repeat,
    Resend,
    Route,
    SetIngress,
    SinkFacts,
    SourceFacts,
    UnknownStream,
)
from media.rtp.av1 import is_keyframe as av1_is_keyframe
from media.rtp.extensions import parse_extensions
from media.rtp.h264 import is_keyframe as h264_is_keyframe
from media.rtp.packets import parse_packet
from media.rtp.vp8 import Vp8Descriptor, height_px, parse_descriptor
from media.rtp.vp9 import Vp9Descriptor
from media.rtp.vp9 import parse_descriptor as parse_vp9

UNKNOWN_LIMIT = 64
"""Unknown streams told of between two askings; a peer that sends more is not worth listening to."""

_HEADER = struct.Struct("!BBHII")
_WORDS = struct.Struct("!HH")
_SEQUENCE = struct.Struct("!H")
_unpack_header = _HEADER.unpack_from
_pack_header = _HEADER.pack


class Twin:
    """One meeting's table and its execution.

    `meet` hears of an unknown stream within its packet: if the table claims it meanwhile, no packet of it is lost.
    `lost` hears of a gap in a source of sound (extended sequence numbers) within the packet that shows it.
    """

    def __init__(
        self,
        meet: Callable[[UnknownStream], None] = lambda _: None,
        lost: Callable[[int, range, int], None] = lambda _source, _sequences, _now_us: None,
    ) -> None:
        self._meet, self._lost = meet, lost
        self._peers: dict[int, Peer] = {}
        self._sources: dict[int, SourceStream] = {}
        self._sinks: dict[int, SinkStream] = {}
        self._unknown: dict[tuple[int, int], UnknownStream] = {}
        self.packets_in = self.packets_out = self.octets_out = 0
        self.resent = self.resend_missed = self.repaired = 0
        self.late = self.gated = self.probes = self.malformed = self.send_failed = 0

    @property
    def counters(self) -> Counters:
        """Of the whole table, since its beginning."""
        return Counters(**{name: getattr(self, name) for name in Counters.__dataclass_fields__})

    # --- the table --------------------------------------------------------------------------------------------------
    def attach(self, peer: int, egress: Egress) -> None:
        """A peer's way out; sinks of it stay silent until `egress.ready`."""
        self._peers[peer] = Peer(egress)

    def detach(self, peer: int) -> None:
        """Forget a peer with all its sources and sinks."""
        found = self._peers.get(peer)
        if found is None:
            return
        for sink in list(found.sinks):
            self._drop_sink(sink.entry.id)
        for source in list(found.sources.values()):
            self._drop_source(source.entry.id)
        del self._peers[peer]

    def apply(self, changes: Iterable[Change]) -> None:
        """Change the table. Naming what is not there (any more) changes nothing."""
        for change in changes:
            match change:
                case Route():
                    self._route(change)
                case Gate():
                    self._gate(change)
                case Resend():
                    self._resend(change.sink, change.sequences)
                case Repeat():
                    self._repeat(change.sink)
                case Forget():
                    if (source := self._sources.get(change.source)) is not None:
                        source.reception.forget(change.sequences)
                case AddSource(source=entry):
                    if (peer := self._peers.get(entry.peer)) is not None:
                        on_gap = partial(self._lost, entry.id) if entry.kind == "audio" else None
                        made = self._sources[entry.id] = peer.sources[entry.ssrc] = SourceStream(entry, on_gap)
                        self._unknown.pop((entry.peer, entry.ssrc), None)
                        if entry.rtx_ssrc is not None:
                            peer.rtx[entry.rtx_ssrc] = made
                case Repair(ssrc=ssrc):
                    if (source := self._sources.get(change.source)) is not None:
                        self._peers[source.entry.peer].rtx[ssrc] = source
                        self._unknown.pop((source.entry.peer, ssrc), None)
                case Align():
                    if (source := self._sources.get(change.source)) is not None:
                        source.shift = change.shift
                case AddSink(sink=entry):
                    if (peer := self._peers.get(entry.peer)) is not None:
                        sink = self._sinks[entry.id] = SinkStream(entry, peer.egress)
                        peer.sinks.append(sink)
                case DropSource():
                    self._drop_source(change.source)
                case DropSink():
                    self._drop_sink(change.sink)
                case SetIngress():
                    if (peer := self._peers.get(change.peer)) is not None:
                        peer.extensions = change.extensions
                case _:
                    assert_never(change)

    def _drop_source(self, source_id: int) -> None:
        source = self._sources.pop(source_id, None)
        if source is None:
            return
        for sink in source.sinks:
            if sink.wanted is source:
                sink.wanted = None
            if sink.current is source:
                sink.current = None
        peer = self._peers[source.entry.peer]
        for streams in (peer.sources, peer.rtx):
            for ssrc in [ssrc for ssrc, owner in streams.items() if owner is source]:
                del streams[ssrc]

    def _drop_sink(self, sink_id: int) -> None:
        sink = self._sinks.pop(sink_id, None)
        if sink is None:
            return
        for source in (sink.wanted, sink.current):
            if source is not None and sink in source.sinks:
                source.sinks.remove(sink)
        self._peers[sink.entry.peer].sinks.remove(sink)

    def _route(self, change: Route) -> None:
        sink = self._sinks.get(change.sink)
        source = None if change.source is None else self._sources.get(change.source)
        if sink is None or (sink.wanted is source and (source is not None or sink.current is None)):
            return
        kept = sink.current
        if kept is not None and kept is not source:
            layers = source is not None and source.entry.track and source.entry.track == kept.entry.track
            kept = kept if layers else None
        for old in (sink.wanted, sink.current):
            if old is not None and old is not source and old is not kept and sink in old.sinks:
                old.sinks.remove(sink)
        sink.wanted, sink.current = source, kept
        if source is not None and sink not in source.sinks:
            source.sinks.append(sink)

    def _gate(self, change: Gate) -> None:
        source = self._sources.get(change.source)
        if source is None or source.open is change.open:
            return
        source.open = change.open
        for sink in list(source.sinks):  # spliced anew when it opens, so that nobody waits for what went nowhere
            if sink.current is source:
                sink.current = None
                if sink.wanted is not source:
                    source.sinks.remove(sink)

    # --- one packet -------------------------------------------------------------------------------------------------
    def receive(self, peer_id: int, packet: bytes, now_us: int) -> None:
        """Execute one unprotected RTP packet (RFC 3550 §5.1). Malformed ones are counted and dropped."""
        try:
            self._receive(peer_id, packet, now_us)
        except (IndexError, ValueError, struct.error):
            self.malformed += 1

    def _receive(self, peer_id: int, packet: bytes, now_us: int) -> None:
        peer = self._peers.get(peer_id)
        if peer is None:
            return
        self.packets_in += 1
        flags, second, sequence, timestamp, ssrc = _unpack_header(packet)
        at = 12 + 4 * (flags & 15)
        level = 0
        known = peer.sources.get(ssrc)
        if flags & 0x10:
            profile, words = _WORDS.unpack_from(packet, at)
            at += 4
            end = at + 4 * words
            if end > len(packet):
                raise ValueError("extension past the end")
            wanted = peer.extensions
            i = at
            if profile == 0xBEDE:  # RFC 8285 §4.2
                while i < end:
                    head = packet[i]
                    if head == 0:
                        i += 1
                        continue
                    name = head >> 4
                    if name == wanted.transport_cc:
                        self._arrived(peer, packet[i + 1] << 8 | packet[i + 2], now_us)
                    elif name == wanted.audio_level:
                        level = 127 - (packet[i + 1] & 127)
                    elif name == 15:
                        break
                    i += 2 + (head & 15)
            elif profile & 0xFFF0 == 0x1000:  # RFC 8285 §4.3
                while i + 1 < end:
                    name = packet[i]
                    if name == 0:
                        i += 1
                        continue
                    if name == wanted.transport_cc and packet[i + 1] == 2:
                        self._arrived(peer, packet[i + 2] << 8 | packet[i + 3], now_us)
                    elif name == wanted.audio_level and packet[i + 1] == 1:
                        level = 127 - (packet[i + 2] & 127)
                    i += 2 + packet[i + 1]
            at = end
        end = len(packet)
        if flags & 0x20:
            end -= packet[-1]
        if end < at:
            raise ValueError("padding past the header")
        payload = packet[at:end]

        if known is None:
            source = peer.rtx.get(ssrc)
            if source is None:
                self._tell_unknown(peer_id, peer, packet, second & 127, ssrc)
                if ssrc in peer.sources or ssrc in peer.rtx:  # claimed meanwhile: begin anew
                    self.packets_in -= 1
                    self._receive(peer_id, packet, now_us)
                return
            if len(payload) < 2:  # padding alone: bandwidth probing on the RTX stream
                self.probes += 1
                return
            reception = source.reception
            sequence = payload[0] << 8 | payload[1]
            if not reception.repair(sequence):  # Chromium also probes by repeating old packets
                self.probes += 1
                return
            self.repaired += 1
            payload = payload[2:]
            full = reception.extend(sequence)
        else:
            source = known
            reception = source.reception
            full = reception.arrived(sequence, timestamp, len(payload), now_us)
            if full < 0:
                self.late += 1
                return
        if level:
            source.loud_sum += level
        source.loud_count += 1
        if not source.open:
            reception.missing.clear()  # what goes nowhere need not be asked for again
            self.gated += 1
            return
        if not payload:
            return
        entry = source.entry
        marker = second & 0x80
        numbers: Vp8Descriptor | Vp9Descriptor | None = None
        codec = entry.codec
        if codec == "VP8":
            numbers = vp8 = parse_descriptor(payload)
            key = vp8.keyframe
            if key:
                source.height_px = height_px(payload, vp8)
        elif codec == "opus":
            key = True
        elif codec == "H264":
            key = h264_is_keyframe(payload)
        elif codec == "VP9":
            numbers = parse_vp9(payload)
            key = numbers.keyframe
        else:
            key = av1_is_keyframe(payload)
        if key and entry.kind != "audio":
            source.keyframes += 1
        source.history[full & (HISTORY - 1)] = (full, marker, timestamp, payload)
        sent = 0
        octets = len(payload)
        for sink in source.sinks:
            if sink.current is not source:
                if not key or not sink.egress.ready:
                    continue
                splice(sink, source, full, timestamp, numbers, now_us)
            elif full < sink.first:
                continue
            sequence = full + sink.sequence_offset
            timestamp_out = (timestamp + sink.timestamp_offset) & 0xFFFFFFFF
            body = payload
            if numbers is not None:
                if sink.picture_offset or sink.tl0_offset:
                    body = renumber(payload, numbers, sink)
                if sequence > sink.last_sequence:
                    sink.last_picture = -1 if numbers.picture_id is None else numbers.picture_id + sink.picture_offset
                    sink.last_tl0 = -1 if numbers.tl0picidx is None else numbers.tl0picidx + sink.tl0_offset
            if sequence > sink.last_sequence:
                sink.last_sequence, sink.last_timestamp, sink.last_at_us = sequence, timestamp_out, now_us
            else:
                sink.behind.append(sequence)
            sink.packets += 1
            sink.octets += octets
            egress = sink.egress
            try:
                egress.sendto(
                    egress.protect(
                        _pack_header(
                            sink.flags, marker | sink.payload_type, sequence & 0xFFFF, timestamp_out, sink.ssrc
                        )
                        + sink.extension
                        + body
                    ),
                    egress.address,
                )
            except OSError:  # a full socket buffer: the receiver asks again
                self.send_failed += 1
            else:
                sent += 1
        self.packets_out += sent
        self.octets_out += sent * octets

    def _arrived(self, peer: Peer, sequence: int, now_us: int) -> None:
        top = peer.top
        full = sequence if top < 0 else top + ((sequence - top + 0x8000) & 0xFFFF) - 0x8000
        peer.top = max(top, full)
        peer.arrivals.setdefault(full, now_us)

    def _tell_unknown(self, peer_id: int, peer: Peer, packet: bytes, payload_type: int, ssrc: int) -> None:
        key = (peer_id, ssrc)
        if key in self._unknown or len(self._unknown) >= UNKNOWN_LIMIT:
            return
        parsed = parse_packet(packet)
        said = parse_extensions(parsed.extension_profile, parsed.extension)
        wanted = peer.extensions
        mid, rid, repaired_rid = (
            said.get(name, b"").decode("ascii", "replace") for name in (wanted.mid, wanted.rid, wanted.repaired_rid)
        )
        unknown = self._unknown[key] = UnknownStream(peer_id, ssrc, payload_type, mid, rid, repaired_rid)
        self._meet(unknown)

    def _repeat(self, sink_id: int) -> None:
        sink = self._sinks.get(sink_id)
        if sink is None or sink.current is None:
            return
        again = list(sink.behind)
        sink.behind.clear()
        if sink.entry.kind == "audio":
            again += range(max(sink.repeated + 1, sink.last_sequence + 1 - REPEATED_MOST), sink.last_sequence + 1)
            sink.repeated = sink.last_sequence
        history, offset = sink.current.history, sink.sequence_offset
        there = (history[full - offset & (HISTORY - 1)] for full in again)
        kept = [full & 0xFFFF for full, one in zip(again, there, strict=True) if one and one[0] == full - offset]
        self._resend(sink_id, kept)

    def _resend(self, sink_id: int, sequences: Iterable[int]) -> None:
        sink = self._sinks.get(sink_id)
        if sink is None or sink.current is None:
            return
        source, egress = sink.current, sink.egress
        if source.entry.kind == "video" and not sink.rtx_payload_type:
            return
        for sequence in sequences:
            full = sink.last_sequence + ((sequence - sink.last_sequence + 0x8000) & 0xFFFF) - 0x8000
            original = full - sink.sequence_offset
            kept = source.history[original & (HISTORY - 1)]
            if kept is None or kept[0] != original or original < sink.first:
                self.resend_missed += 1
                continue
            packet = resent(sink, source, sequence, kept)
            try:
                egress.sendto(egress.protect(packet), egress.address)
            except OSError:
                self.send_failed += 1
            else:
                self.resent += 1

    # --- facts ------------------------------------------------------------------------------------------------------
    def facts(self) -> Facts:
        """Everything since the last time of asking."""
        sources, waiting, arrivals = [], [], []
        for source in self._sources.values():
            r = source.reception
            sources.append(
                SourceFacts(
                    source.entry.id,
                    r.packets,
                    r.octets,
                    r.expected,
                    r.highest,
                    r.jitter,
                    r.last_at_us,
                    tuple(r.missing.items()),
                    source.keyframes,
                    source.loud_sum // source.loud_count if source.loud_count else 0,
                    source.height_px,
                )
            )
            source.loud_sum = source.loud_count = 0
            if source.open and any(s.current is not source and s.egress.ready for s in source.sinks):
                waiting.append(source.entry.id)
        for peer_id, peer in self._peers.items():
            if peer.arrivals:
                arrivals.append((peer_id, peer.arrivals))
                peer.arrivals = {}
        unknown = tuple(self._unknown.values())
        self._unknown.clear()
        return Facts(tuple(sources), tuple(waiting), tuple(arrivals), unknown)

    def sinks(self) -> tuple[SinkFacts, ...]:
        """Every sink that has a current source."""
        return tuple(
            SinkFacts(s.entry.id, s.current.entry.id, s.timestamp_offset, s.packets, s.octets)
            for s in self._sinks.values()
            if s.current is not None
        )

"""The decisions of one meeting, sans-IO: the only door of `media.sfu`.

Theory of operation. The control plane says by a plan who may be heard and seen. Browsers bring connections: one that
sends (its sections become *sources*) and one that receives (its sections become *slots*, each a *sink*; an audio and
a video slot make a *seat*). The router seats everybody in front of everybody else and turns that into a table for the
kernel. Facts from the kernel and RTCP from the browsers come back some tens of times a second; what follows from them
(new table entries, RTCP, reports) is gathered and handed out by `outputs`. Time is an argument, in microseconds.

A second connection of the same name replaces the first only once it is ready, so that nobody is cut off meanwhile.
"""

from collections.abc import Callable, Iterable, Sequence

from media.control import (
    Assignment,
    Connection,
    ConnectionChanged,
    LookedAt,
    Plan,
    SlotsAssigned,
    SpeakersHeard,
    View,
)
from media.kernel.table import (
    AddSource,
    Align,
    DropSource,
    Facts,
    Forget,
    Gate,
    Repair,
    Resend,
    SetIngress,
    SinkFacts,
    Source,
    SourceFacts,
    UnknownStream,
)
from media.rtp import rtcp
from media.rtp.rtcp_build import nack, pli, receiver_report
from media.rtp.transport_cc import build_feedback
from media.sfu.keyframes import KeyframeRequests
from media.sfu.layers import Layer, observe_all
from media.sfu.members import Member, Receiving, Sending, Track
from media.sfu.reports import FROM_RELAY, Clock, carried_over
from media.sfu.seating import looked_at, seat_everybody
from media.sfu.seats import Unit
from media.sfu.speakers import SpeakerDetector
from media.sfu.values import Close, Output, Publication, SendRtcp, SlotIdentity, SlotTerms

REPORT_US = 1_000_000
REPEAT_US = 2_000_000
"""What plays where is said again this often: a browser whose socket was away for a moment may have missed it."""
FEEDBACK_US = 50_000
"""Transport-wide feedback, as often as Chromium's own receivers give it."""


class Router:
    """One meeting. `next_id` and `next_ssrc` give numbers unique in this relay."""

    def __init__(self, meeting_id: str, next_id: Callable[[], int], next_ssrc: Callable[[], int]) -> None:
        self.meeting_id = meeting_id
        self.epoch = 0
        self._next_id, self._next_ssrc = next_id, next_ssrc
        self._members: dict[str, Member] = {}
        self._sending: dict[int, Sending] = {}
        self._receiving: dict[int, Receiving] = {}
        self._sources: dict[int, tuple[Track, Layer]] = {}
        self._facts: dict[int, SourceFacts] = {}
        self._keyframes = KeyframeRequests()
        self._speakers = SpeakerDetector()
        self._spoke_us: dict[str, int] = {}
        self._outputs: list[Output] = []
        self._reported_us = self._fed_back_us = self._repeated_us = 0
        self._stale = False

    def outputs(self) -> list[Output]:
        """Everything to be done since the last time of asking, in order."""
        if self._stale:
            self._stale = False
            self._seat()
        done, self._outputs = self._outputs, []
        return done

    @property
    def present(self) -> tuple[str, ...]:
        """Participants with at least one ready connection."""
        return tuple(m.id for m in self._members.values() if any(c and c.ready for c in (m.sending, m.receiving)))

    def knows(self, participant_id: str) -> bool:
        """Whether the plan lists this participant."""
        return participant_id in self._members

    # --- what ought to be -------------------------------------------------------------------------------------------
    def plan(self, plan: Plan) -> None:
        """Converge to the plan: strangers out, gates as wished."""
        self.epoch = plan.epoch
        wanted = {p.id: p for p in plan.participants}
        for name in [name for name in self._members if name not in wanted]:
            member = self._members.pop(name)
            for connection in member.connections():
                self._end(connection)
        for name, wish in wanted.items():
            member = self._members.setdefault(name, Member(name))
            member.wish = wish
            for sending in member.all_sending():
                for track in sending.tracks:
                    self._gate(member, track)
        self._stale = True

    def _gate(self, member: Member, track: Track) -> None:
        open_ = member.allows(track.origin)
        if track.open is open_:
            return
        track.open = open_
        for layer in track.layers:
            self._outputs.append(Gate(layer.source, open_))
            if not open_:
                self._keyframes.forget(layer.source)

    def watch(self, participant_id: str, views: tuple[View, ...]) -> None:
        """A page says what it shows, most important first. Whom it names and nobody knows is nothing."""
        member = self._members.get(participant_id)
        if member is not None and member.views != views:
            member.views = views
            self._stale = True

    # --- connections ------------------------------------------------------------------------------------------------
    def offer_send(self, participant_id: str, peer: int, publication: Publication) -> None:
        """A participant's new `send` connection was answered; it replaces an older one when ready."""
        member = self._members[participant_id]
        sending = Sending(peer, participant_id, publication, self._next_id)
        if member.next_sending is not None:
            self._end(member.next_sending)
        member.next_sending = self._sending[peer] = sending
        self._outputs.append(SetIngress(peer, publication.extensions))
        for track in sending.tracks:
            track.open = member.allows(track.origin)
            if track.section.ssrc is not None and not track.section.rids:
                self._learn(track, "", track.section.ssrc, track.section.rtx_ssrc)

    def _learn(self, track: Track, rid: str, ssrc: int, rtx_ssrc: int | None) -> None:
        section = track.section
        layer = Layer(rid, self._next_id(), ssrc)
        track.layers.append(layer)
        self._sources[layer.source] = track, layer
        entry = Source(
            layer.source,
            track.sending.peer,
            section.kind,
            section.codec,
            ssrc,
            section.payload_type,
            section.clock_hz,
            rtx_ssrc,
            track.id,
        )
        self._outputs.append(AddSource(entry))
        if not track.open:
            self._outputs.append(Gate(layer.source, open=False))

    def reserve_slots(
        self, participant_id: str, peer: int, sections: Sequence[tuple[str, str]]
    ) -> tuple[SlotIdentity, ...]:
        """Names for the sections (mid, kind) of a new `receive` connection, before it can be answered."""
        receiving = Receiving(peer, participant_id)
        self._receiving[peer] = receiving
        return receiving.reserve(sections, self._next_ssrc)

    def offer_receive(self, participant_id: str, peer: int, terms: Iterable[SlotTerms]) -> None:
        """The reserved slots were answered on these terms; they replace older ones when ready."""
        member, receiving = self._members[participant_id], self._receiving[peer]
        if member.next_receiving is not None:
            self._end(member.next_receiving)
        member.next_receiving = receiving
        self._outputs.extend(receiving.open(terms, self._next_id))

    def ready(self, peer: int) -> None:
        """A connection's keys are there: from now on it is the participant's."""
        sending, receiving = self._sending.get(peer), self._receiving.get(peer)
        connection = sending or receiving
        if connection is None or (member := self._members.get(connection.participant_id)) is None:
            return
        connection.ready = True
        old: Sending | Receiving | None = None
        if sending is not None and member.next_sending is sending:
            old, member.sending, member.next_sending = member.sending, sending, None
        elif receiving is not None and member.next_receiving is receiving:
            old, member.receiving, member.next_receiving = member.receiving, receiving, None
        if old is not None:
            self._end(old)
        self._say_changed(connection, up=True)
        self._stale = True

    def gone(self, peer: int) -> None:
        """A connection ended by itself or fell silent."""
        connection = self._sending.get(peer) or self._receiving.get(peer)
        if connection is None:
            return
        self._end(connection)
        if connection.ready:
            self._say_changed(connection, up=False)

    def _say_changed(self, connection: Sending | Receiving, *, up: bool) -> None:
        name: Connection = "send" if isinstance(connection, Sending) else "receive"
        self._outputs.append(ConnectionChanged(self.meeting_id, self.epoch, connection.participant_id, name, up))

    def _end(self, connection: Sending | Receiving) -> None:
        member = self._members.get(connection.participant_id)
        if member is not None:
            member.forget(connection)
        if isinstance(connection, Sending):
            del self._sending[connection.peer]
            for layer in (layer for track in connection.tracks for layer in track.layers):
                self._outputs.append(DropSource(layer.source))
                self._sources.pop(layer.source, None)
                self._facts.pop(layer.source, None)
                self._keyframes.forget(layer.source)
        else:
            del self._receiving[connection.peer]
        self._outputs.append(Close(connection.peer))
        self._stale = True

    # --- seats ------------------------------------------------------------------------------------------------------
    def _seat(self) -> None:
        changes = seat_everybody(self._members.values(), self._spoke_us)
        for receiving, assignments, routes in changes:
            self._outputs.extend(routes)
            if assignments is not None:
                self._say_slots(receiving, assignments)
        for sending, _ in looked_at(self._members.values()):
            self._say_looked_at(sending)

    def _say_slots(self, receiving: Receiving, assignments: tuple[Assignment, ...]) -> None:
        self._outputs.append(SlotsAssigned(self.meeting_id, self.epoch, receiving.participant_id, assignments))

    def _say_looked_at(self, sending: Sending) -> None:
        views = sending.looked_at or ()
        self._outputs.append(LookedAt(self.meeting_id, self.epoch, sending.participant_id, views))

    # --- facts from the kernel --------------------------------------------------------------------------------------
    def receive(self, facts: Facts, sinks: Callable[[], tuple[SinkFacts, ...]], now_us: int) -> None:
        """Everything that follows from what was seen, some tens of times a second. `sinks` is asked for reports."""
        for unknown in facts.unknown:
            self.meet(unknown)
        levels: dict[str, int] = {}
        for source in facts.sources:
            self._facts[source.id] = source
            if (found := self._sources.get(source.id)) is None:
                continue
            track, layer = found
            self._keyframes.seen(source.id, source.keyframes)
            if track.kind == "audio" and track.origin == "microphone" and track.open and track.sending.ready:
                levels[track.participant_id] = source.loudness
            ask, forget = layer.nacks.due(source.missing, now_us, track.sending.round_trip)
            if ask:
                self._send(track.sending.peer, nack(FROM_RELAY, layer.ssrc, [s & 0xFFFF for s in ask]))
            if forget:
                self._outputs.append(Forget(source.id, forget))
        for sending in self._sending.values():
            for track in sending.tracks:
                if track.section.rids:
                    self._stale |= observe_all(track.layers, self._facts, now_us)
        for waiting in facts.waiting:
            if waiting in self._facts and waiting in self._sources and self._sources[waiting][0].kind == "video":
                self._keyframes.want(waiting, self._facts[waiting].keyframes)
        for receiving in self._receiving.values():
            self._outputs.extend(receiving.repairs.due(receiving.playing(), now_us))
        self._ask_keyframes(now_us)
        self._feed_back(facts, now_us)
        self._listen(levels, now_us)
        if now_us - self._reported_us >= REPORT_US:
            self._reported_us = now_us
            self._report(sinks(), now_us)
        if now_us - self._repeated_us >= REPEAT_US:
            self._repeated_us = now_us
            for receiving in self._receiving.values():
                if receiving.ready and receiving.assignments:
                    self._say_slots(receiving, receiving.assignments)
            for sending in self._sending.values():
                if sending.ready and sending.looked_at:
                    self._say_looked_at(sending)

    def lost(self, source: int, sequences: range, now_us: int) -> None:
        """A gap of sound. Its packets come one by one 20 ms apart, so nothing overtakes: it is asked for at once."""
        track, layer = self._sources.get(source, (None, None))
        if track is not None and layer is not None and track.open:
            ask = layer.nacks.noticed(sequences, now_us, track.sending.round_trip)
            self._send(track.sending.peer, nack(FROM_RELAY, layer.ssrc, [s & 0xFFFF for s in ask]))

    def meet(self, unknown: UnknownStream) -> None:
        """An SSRC that no source claims: of what was agreed on, its header extensions say which it is."""
        sending = self._sending.get(unknown.peer)
        for track in sending.tracks if sending else ():
            section = track.section
            if section.mid != unknown.mid:
                continue
            if section.payload_type == unknown.payload_type and track.lacks(unknown.rid):
                self._learn(track, unknown.rid, unknown.ssrc, None)
                self._stale = True
            elif section.rtx_payload_type == unknown.payload_type:
                layer = track.layer(unknown.repaired_rid)
                if layer is not None:
                    self._outputs.append(Repair(layer.source, unknown.ssrc))

    def _ask_keyframes(self, now_us: int) -> None:
        for source in self._keyframes.due(now_us):
            found = self._sources.get(source)
            if found is not None and found[0].sending.ready:
                self._send(found[0].sending.peer, pli(FROM_RELAY, found[1].ssrc))

    def _feed_back(self, facts: Facts, now_us: int) -> None:
        for peer, arrivals in facts.arrivals:
            if (sending := self._sending.get(peer)) is not None:
                sending.arrivals.update(arrivals)
        if now_us - self._fed_back_us < FEEDBACK_US:
            return
        self._fed_back_us = now_us
        for sending in self._sending.values():
            if not sending.arrivals or (ssrc := sending.any_ssrc()) is None:
                continue
            packets = build_feedback(
                FROM_RELAY, ssrc, sending.feedback_count, sending.arrivals, base=sending.feedback_base
            )
            sending.feedback_base = max(sending.arrivals) + 1
            sending.feedback_count = (sending.feedback_count + len(packets)) & 0xFF
            sending.arrivals = {}
            for packet in packets:
                self._send(sending.peer, packet)

    def _listen(self, levels: dict[str, int], now_us: int) -> None:
        said = self._speakers.update(levels, now_us)
        if said is None:
            return
        for speaker in said:
            if self._spoke_us.get(speaker.participant_id) is None or said[0] is speaker:
                self._spoke_us[speaker.participant_id] = now_us
        self._outputs.append(SpeakersHeard(self.meeting_id, self.epoch, said))
        if any(len(r.seats) < len(self._members) for r in self._receiving.values()):
            self._stale = True

    def _report(self, sinks: Iterable[SinkFacts], now_us: int) -> None:
        for sending in self._sending.values():
            blocks = [
                layer.reception.block(facts, layer.clock, now_us)
                for track in sending.tracks
                for layer in track.layers
                if (facts := self._facts.get(layer.source)) is not None and facts.packets
            ]
            if blocks and sending.ready:
                self._send(sending.peer, receiver_report(FROM_RELAY, blocks[:31]))
        for sink in sinks:
            self._carry_over(sink, now_us)

    def _carry_over(self, sink: SinkFacts, now_us: int) -> None:
        track, layer = self._sources.get(sink.source, (None, None))
        if track is None or layer is None or layer.clock is None:
            return
        for receiving in self._receiving.values():
            slot = receiving.by_sink.get(sink.id)
            if slot is not None:
                self._send(
                    receiving.peer,
                    carried_over(sink, slot.identity.ssrc, layer.clock, track.section.clock_hz, now_us),
                )

    # --- RTCP from the browsers -------------------------------------------------------------------------------------
    def receive_rtcp(
        self, peer: int, packets: Iterable[rtcp.Rtcp], sinks: Callable[[], tuple[SinkFacts, ...]], now_us: int
    ) -> None:
        """One compound packet of a peer. What does not concern its own streams is ignored."""
        sending, receiving = self._sending.get(peer), self._receiving.get(peer)
        for packet in packets:
            match packet:
                case rtcp.SenderReport() if sending is not None:
                    layer = sending.by_ssrc(packet.ssrc)
                    if layer is not None:
                        self._set_clock(layer, Clock.of(packet, now_us), sinks, now_us)
                case rtcp.Nack() if receiving is not None:
                    slot = receiving.by_ssrc(packet.media_ssrc)
                    if slot is not None and slot.sink is not None:
                        many = receiving.resends.take(len(packet.sequences), now_us)
                        if many:
                            answer = Resend(slot.sink, packet.sequences[:many])
                            self._outputs.append(receiving.repairs.answer(answer, now_us))
                case rtcp.ReceiverReport() if receiving is not None:
                    for block in packet.reports:
                        if (slot := receiving.by_ssrc(block.ssrc)) is not None:
                            receiving.repairs.reported(slot.identity.kind, block.fraction_lost, now_us)
                case rtcp.PictureLoss() if receiving is not None:
                    self._want_keyframe(receiving, packet.media_ssrc, now_us)
                case rtcp.FullIntraRequest() if receiving is not None:
                    for ssrc, _ in packet.requests:
                        self._want_keyframe(receiving, ssrc, now_us)
                case _:
                    pass

    def _set_clock(self, layer: Layer, clock: Clock, sinks: Callable[[], tuple[SinkFacts, ...]], now_us: int) -> None:
        first, layer.clock = layer.clock is None, clock
        track, _ = self._sources[layer.source]
        if track.section.rids:
            self._outputs.append(Align(layer.source, clock.shift(track.section.clock_hz)))
        if first:  # players wait for it to sync lips
            for sink in sinks():
                if sink.source == layer.source:
                    self._carry_over(sink, now_us)

    def _want_keyframe(self, receiving: Receiving, ssrc: int, now_us: int) -> None:
        slot = receiving.by_ssrc(ssrc)
        if slot is None or slot.source is None or (facts := self._facts.get(slot.source)) is None:
            return
        track, _ = self._sources.get(slot.source, (None, None))
        if track is not None and track.open and track.kind == "video":
            self._keyframes.want(slot.source, facts.keyframes)
            self._ask_keyframes(now_us)

    def _send(self, peer: int, packet: bytes) -> None:
        self._outputs.append(SendRtcp(peer, packet))

    def seated(self, participant_id: str) -> frozenset[Unit]:
        """Who sits in front of a participant now."""
        member = self._members.get(participant_id)
        return frozenset(member.receiving.held.values()) if member and member.receiving else frozenset()

"""The router's decisions: who sees whom, what a mute does, how connections replace each other."""

from itertools import count
from typing import Any

from media.control import ConnectionChanged, Plan, PlannedParticipant, SlotsAssigned, SpeakersHeard
from media.kernel.table import (
    AddSink,
    AddSource,
    DropSource,
    Facts,
    Gate,
    IngressExtensions,
    Repeat,
    Resend,
    Route,
    SinkFacts,
    SourceFacts,
    UnknownStream,
)
from media.rtp.rtcp import Nack, PictureLoss, ReceiverReport, ReportBlock, SenderReport, parse_compound
from media.rtp.rtcp_build import nack
from media.sfu.router import Router
from media.sfu.values import Close, Publication, PublishedSection, SendRtcp, SlotTerms

NONE: tuple[SinkFacts, ...] = ()


def plan(*people: str, epoch: int = 1, **wishes: dict[str, bool]) -> Plan:
    return Plan("m", epoch, tuple(PlannedParticipant(name, **wishes.get(name, {})) for name in people))


class Bench:
    """A router with people who connect by a word."""

    def __init__(self, *people: str) -> None:
        self.peers = count(1)
        ids, ssrcs = count(100), count(5000)
        self.router = Router("m", lambda: next(ids), lambda: next(ssrcs))
        self.router.plan(plan(*people))
        self.did: list[Any] = []
        self.sources: dict[tuple[str, str], int] = {}

    def outputs(self) -> list[Any]:
        fresh: list[Any] = []
        while some := self.router.outputs():
            fresh += some
        self.did += fresh
        return fresh

    def send(self, who: str, *, ready: bool = True, ssrc: int | None = None) -> int:
        peer = next(self.peers)
        base = ssrc or peer * 1000
        sections = (
            PublishedSection("0", "audio", "microphone", "opus", 111, 48_000, base + 1),
            PublishedSection("1", "video", "camera", "VP8", 96, 90_000, base + 2, base + 3),
        )
        self.router.offer_send(who, peer, Publication(IngressExtensions(mid=4), sections))
        for made in (change.source for change in self.outputs() if isinstance(change, AddSource)):
            self.sources[who, made.kind] = made.id
        if ready:
            self.router.ready(peer)
        return peer

    def receive(self, who: str, seats: int = 2, *, ready: bool = True) -> int:
        peer = next(self.peers)
        sections = [(str(n), "audio" if n % 2 == 0 else "video") for n in range(2 * seats)]
        self.router.reserve_slots(who, peer, sections)
        terms = [SlotTerms(mid, {"opus": (111, None), "VP8": (96, 97)}) for mid, _ in sections]
        self.router.offer_receive(who, peer, terms)
        if ready:
            self.router.ready(peer)
        return peer

    def slots(self, who: str) -> dict[str, str] | None:
        said = [out for out in self.did if isinstance(out, SlotsAssigned) and out.participant_id == who]
        return {a.mid: a.participant_id for a in said[-1].assignments} if said else None


def of(kind: type, outputs: list[Any]) -> list[Any]:
    return [out for out in outputs if isinstance(out, kind)]


def facts_of(*sources: SourceFacts, **more: Any) -> Facts:
    return Facts(sources, more.get("waiting", ()), more.get("arrivals", ()), more.get("unknown", ()))


def source_facts(source: int, **more: Any) -> SourceFacts:
    plain = {
        "packets": 10,
        "octets": 10,
        "expected": 10,
        "highest": 70_000,
        "jitter": 0,
        "last_at_us": 0,
        "missing": (),
        "keyframes": 1,
    }
    return SourceFacts(source, **(plain | {"loudness": 0} | more))


def test_two_people_are_seated_in_front_of_each_other_sound_and_picture_in_one_seat() -> None:
    bench = Bench("ann", "bob")
    for who in ("ann", "bob"):
        bench.send(who)
        bench.receive(who)
    bench.outputs()
    assert bench.slots("ann") == {"0": "bob", "1": "bob"}
    assert bench.slots("bob") == {"0": "ann", "1": "ann"}
    identities = Router("x", count().__next__, count().__next__).reserve_slots(
        "ann", 1, [("a", "audio"), ("v", "video"), ("b", "audio")]
    )
    assert [identity.stream_id for identity in identities] == ["seat-0", "seat-0", "seat-1"]


def test_nobody_is_routed_before_both_connections_are_ready() -> None:
    bench = Bench("ann", "bob")
    sending = bench.send("ann", ready=False)
    receiving = bench.receive("bob", ready=False)
    assert of(Route, bench.outputs()) == []
    bench.router.ready(sending)
    assert of(Route, bench.outputs()) == []
    bench.router.ready(receiving)
    assert len(of(Route, bench.outputs())) == 2
    assert {(c.participant_id, c.connection, c.up) for c in of(ConnectionChanged, bench.did)} == {
        ("ann", "send", True),
        ("bob", "receive", True),
    }


def test_a_mute_closes_the_gate_and_the_same_plan_again_changes_nothing() -> None:
    bench = Bench("ann", "bob")
    bench.send("ann")
    bench.outputs()
    muted = plan("ann", "bob", ann={"audio": False})
    bench.router.plan(muted)
    assert of(Gate, bench.outputs()) == [Gate(bench.sources["ann", "audio"], open=False)]
    bench.router.plan(muted)
    assert bench.outputs() == []
    bench.router.plan(plan("ann", "bob"))
    assert of(Gate, bench.outputs()) == [Gate(bench.sources["ann", "audio"], open=True)]


def test_who_publishes_while_muted_is_gated_from_the_first_packet() -> None:
    bench = Bench("ann")
    bench.router.plan(plan("ann", ann={"audio": False}))
    bench.send("ann")
    assert of(Gate, bench.did) == [Gate(bench.sources["ann", "audio"], open=False)]


def test_who_is_not_in_the_plan_is_cut_off_and_their_seat_is_free() -> None:
    bench = Bench("ann", "bob")
    sending = bench.send("ann")
    bench.receive("bob")
    bench.outputs()
    bench.router.plan(plan("bob"))
    done = bench.outputs()
    assert Close(sending) in done
    assert {drop.source for drop in of(DropSource, done)} == {
        bench.sources["ann", "audio"],
        bench.sources["ann", "video"],
    }
    assert bench.slots("bob") == {}
    assert not bench.router.knows("ann")


def test_a_new_connection_replaces_the_old_one_only_once_it_is_ready() -> None:
    bench = Bench("ann", "bob")
    first = bench.send("ann")
    bench.receive("bob")
    bench.outputs()
    old = bench.sources["ann", "video"]
    second = bench.send("ann", ready=False)
    assert of(Close, bench.outputs()) == []
    bench.router.ready(second)
    done = bench.outputs()
    assert of(Close, done) == [Close(first)]
    assert {route.source for route in of(Route, done)} == {
        bench.sources["ann", "audio"],
        bench.sources["ann", "video"],
    }
    assert old != bench.sources["ann", "video"]


def test_with_fewer_seats_than_people_whoever_speaks_gets_one() -> None:
    bench = Bench("me", *"abc")
    for who in "abc":
        bench.send(who)
    bench.receive("me", seats=2)
    bench.outputs()
    assert set((bench.slots("me") or {}).values()) == {"a", "b"}
    loud = source_facts(bench.sources["c", "audio"], loudness=110)
    for tick in range(30):
        bench.router.receive(facts_of(loud), lambda: NONE, 1_000_000 + tick * 20_000)
    bench.outputs()
    assert "c" in (bench.slots("me") or {}).values()
    assert len(set((bench.slots("me") or {}).values())) == 2
    assert [s.participant_id for s in of(SpeakersHeard, bench.did)[-1].speakers] == ["c"]


def test_a_nack_of_a_slot_is_answered_from_history_and_one_of_a_strangers_slot_is_not() -> None:
    bench = Bench("ann", "bob")
    bench.send("ann")
    receiving = bench.receive("bob")
    sinks = {
        change.sink.mid if hasattr(change.sink, "mid") else change.sink.ssrc: change.sink
        for change in of(AddSink, bench.outputs())
    }
    video = next(sink for sink in sinks.values() if sink.kind == "video")
    bench.router.receive_rtcp(receiving, (Nack(1, video.ssrc, (5, 6)), Nack(1, 999, (7,))), lambda: NONE, 0)
    assert of(Resend, bench.outputs()) == [Resend(video.id, (5, 6))]
    bench.router.receive_rtcp(next(bench.peers), (Nack(1, video.ssrc, (5,)),), lambda: NONE, 0)
    assert of(Resend, bench.outputs()) == []


def test_a_lost_picture_asks_the_publisher_once_however_often_it_is_reported() -> None:
    bench = Bench("ann", "bob")
    sending = bench.send("ann")
    receiving = bench.receive("bob")
    video = next(change.sink for change in of(AddSink, bench.outputs()) if change.sink.kind == "video")
    source = bench.sources["ann", "video"]
    bench.router.receive(facts_of(source_facts(source)), lambda: NONE, 0)
    bench.outputs()
    for n in range(50):
        bench.router.receive_rtcp(receiving, (PictureLoss(1, video.ssrc),), lambda: NONE, 2_000_000 + n)
    (asked,) = of(SendRtcp, bench.outputs())
    assert asked.peer == sending
    assert parse_compound(asked.packet) == (PictureLoss(1, sending * 1000 + 2),)


def test_what_is_missing_is_asked_of_its_publisher() -> None:
    bench = Bench("ann")
    sending = bench.send("ann")
    lost = source_facts(bench.sources["ann", "video"], missing=((65_536 + 9, 0), (65_536 + 11, 0)))
    bench.router.receive(facts_of(lost), lambda: NONE, 10_000)
    sent = [parse_compound(out.packet)[0] for out in of(SendRtcp, bench.outputs()) if out.peer == sending]
    assert Nack(1, sending * 1000 + 2, (9, 11)) in sent


def test_a_gap_of_sound_is_asked_for_at_once_and_of_a_closed_microphone_never() -> None:
    bench = Bench("ann")
    sending = bench.send("ann")
    sound = bench.sources["ann", "audio"]
    bench.outputs()
    bench.router.lost(sound, range(65_541, 65_543), 10_000)
    (asked,) = of(SendRtcp, bench.outputs())
    assert asked == SendRtcp(sending, nack(1, sending * 1000 + 1, (5, 6)))
    bench.router.plan(plan("ann", ann={"audio": False}))
    bench.outputs()
    bench.router.lost(sound, range(65_551, 65_552), 20_000)
    bench.router.lost(999, range(3), 20_000)
    assert bench.outputs() == []


def test_a_viewer_who_reports_much_loss_is_sent_sound_and_answers_twice() -> None:
    bench = Bench("ann", "bob")
    bench.send("ann")
    receiving = bench.receive("bob")
    sinks = {change.sink.kind: change.sink for change in of(AddSink, bench.outputs())[:2]}
    bench.router.receive(facts_of(), lambda: NONE, 0)
    assert of(Repeat, bench.outputs()) == []
    stranger = ReportBlock(999, 200, 0, 0, 0, 0, 0)
    bench.router.receive_rtcp(receiving, (ReceiverReport(1, (stranger,)),), lambda: NONE, 0)
    bench.router.receive(facts_of(), lambda: NONE, 20_000)
    assert of(Repeat, bench.outputs()) == []
    block = ReportBlock(sinks["video"].ssrc, 26, 0, 0, 0, 0, 0)
    said = ReceiverReport(1, (stranger, block)), Nack(1, sinks["video"].ssrc, (5,))
    bench.router.receive_rtcp(receiving, said, lambda: NONE, 30_000)
    assert of(Resend, bench.outputs()) == [Resend(sinks["video"].id, (5,))]
    bench.router.receive(facts_of(), lambda: NONE, 40_000)
    done = bench.outputs()
    assert of(Resend, done) == [Resend(sinks["video"].id, (5,))]
    assert {repeat.sink for repeat in of(Repeat, done)} == {sinks["audio"].id, sinks["video"].id}


def test_nobody_is_asked_for_a_keyframe_of_sound() -> None:
    bench = Bench("ann", "bob")
    bench.send("ann")
    bench.receive("bob")
    bench.outputs()
    facts = [source_facts(source, keyframes=0) for source in bench.sources.values()]
    bench.router.receive(facts_of(*facts, waiting=(bench.sources["ann", "audio"],)), lambda: NONE, 0)
    assert [out for out in of(SendRtcp, bench.outputs()) if out.packet[1] == 206] == []


def test_an_unnamed_stream_is_learnt_by_the_mid_of_its_packets() -> None:
    bench = Bench("ann")
    section = PublishedSection("v", "video", "camera", "VP8", 96, 90_000)
    bench.router.offer_send("ann", 50, Publication(IngressExtensions(mid=4), (section,)))
    bench.router.ready(50)
    assert of(AddSource, bench.outputs()) == []
    bench.router.receive(facts_of(unknown=(UnknownStream(50, 4711, 96, "v", "", ""),)), lambda: NONE, 0)
    (added,) = of(AddSource, bench.outputs())
    assert (added.source.ssrc, added.source.payload_type) == (4711, 96)


def test_sender_reports_reach_the_slots_in_their_own_timestamps() -> None:
    bench = Bench("ann", "bob")
    sending = bench.send("ann")
    receiving = bench.receive("bob")
    video = next(change.sink for change in of(AddSink, bench.outputs()) if change.sink.kind == "video")
    source = bench.sources["ann", "video"]
    sinks = (SinkFacts(video.id, source, 1000, 3, 300),)
    bench.router.receive_rtcp(
        sending, (SenderReport(sending * 1000 + 2, 7 << 32, 90_000, 3, 300),), lambda: sinks, 1_000_000
    )
    (carried,) = of(SendRtcp, bench.outputs())
    assert carried.peer == receiving
    assert parse_compound(carried.packet) == (SenderReport(video.ssrc, 7 << 32, 91_000, 3, 300),)


def test_transport_feedback_names_what_came_and_goes_on_where_it_ended() -> None:
    bench = Bench("ann")
    sending = bench.send("ann")
    bench.outputs()
    for round_, arrivals in enumerate(({10: 1_000_000, 11: 1_001_000}, {13: 1_060_000})):
        told = facts_of(arrivals=((sending, arrivals),))
        bench.router.receive(told, lambda: NONE, 1_100_000 + round_ * 60_000)
    packets = [out.packet for out in of(SendRtcp, bench.outputs())]
    assert [packet[12:16].hex() for packet in packets if packet[1] == 205] == ["000a0002", "000c0002"]

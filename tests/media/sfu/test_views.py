"""What a page shows decides who sits, which layer plays, and what publishers are told; screens; what is refused."""

from typing import Any

import pytest

from media.control import LookedAt, OwnView, View
from media.kernel.table import (
    AddSink,
    AddSource,
    Align,
    Gate,
    IngressExtensions,
    Repair,
    Resend,
    Route,
    SinkFacts,
    UnknownStream,
)
from media.rtp.rtcp import Nack, SenderReport
from media.sfu.budget import Budget
from media.sfu.layers import FULL_HEIGHT_PX, Layer, choose
from media.sfu.members import RESENDS_PER_S
from media.sfu.values import Publication, PublishedSection
from tests.media.sfu.test_router import NONE, Bench, facts_of, of, plan, source_facts

RIDS = ("q", "h", "f")


def layered(bench: Bench, who: str, peer: int = 50) -> None:
    """Somebody whose camera comes in three layers, none of them known yet."""
    camera = PublishedSection("1", "video", "camera", "VP8", 96, 90_000, None, None, RIDS, 97)
    bench.router.offer_send(who, peer, Publication(IngressExtensions(mid=4, rid=10, repaired_rid=11), (camera,)))
    bench.router.ready(peer)


def learn(bench: Bench, rid: str, ssrc: int, peer: int = 50) -> int:
    """The first packet of a layer; its source."""
    bench.router.meet(UnknownStream(peer, ssrc, 96, "1", rid, ""))
    (added,) = of(AddSource, bench.outputs())
    return int(added.source.id)


def playing(bench: Bench) -> int | None:
    routes = of(Route, bench.did)
    return routes[-1].source if routes else None


def sharing(bench: Bench, who: str, peer: int) -> None:
    sections = (
        PublishedSection("0", "audio", "microphone", "opus", 111, 48_000, peer * 1000 + 1),
        PublishedSection("1", "video", "camera", "VP8", 96, 90_000, peer * 1000 + 2),
        PublishedSection("2", "video", "screen", "VP8", 96, 90_000, peer * 1000 + 3),
        PublishedSection("3", "audio", "screen-sound", "opus", 111, 48_000, peer * 1000 + 4),
    )
    bench.router.offer_send(who, peer, Publication(IngressExtensions(mid=4), sections))
    bench.router.ready(peer)


def seats(bench: Bench, who: str) -> list[tuple[str, str, str]]:
    said = [out for out in bench.did if type(out).__name__ == "SlotsAssigned" and out.participant_id == who]
    return [(a.mid, a.participant_id, a.origin) for a in said[-1].assignments]


def test_screens_sit_only_while_the_plan_says_so_several_at_once_each_with_its_sound() -> None:
    bench = Bench("ann", "bob", "me")
    sharing(bench, "ann", 60)
    sharing(bench, "bob", 61)
    bench.receive("me", seats=4)
    bench.outputs()
    assert {origin for _, _, origin in seats(bench, "me")} == {"microphone", "camera"}
    bench.router.plan(plan("ann", "bob", "me", ann={"screen": True}, bob={"screen": True}))
    opened = of(Gate, bench.outputs())
    assert [gate.open for gate in opened] == [True] * 4
    assert sorted(seats(bench, "me"))[4:] == [
        ("4", "ann", "screen-sound"),
        ("5", "ann", "screen"),
        ("6", "bob", "screen-sound"),
        ("7", "bob", "screen"),
    ]
    bench.router.plan(plan("ann", "bob", "me", bob={"screen": True}))
    assert [gate.open for gate in of(Gate, bench.outputs())] == [False] * 2
    assert {who for _, who, origin in seats(bench, "me") if "screen" in origin} == {"bob"}


def test_a_page_has_just_the_pictures_that_it_shows_and_everybodys_sound() -> None:
    bench = Bench("me", *"abc")
    for who in "abc":
        bench.send(who)
    bench.receive("me", seats=3)
    bench.outputs()
    bench.router.watch("me", (View("c", "camera", 360), View("nobody", "camera", 360), View("a", "screen", 100)))
    bench.outputs()
    pictures = [who for _, who, origin in seats(bench, "me") if origin == "camera"]
    sounds = [who for _, who, origin in seats(bench, "me") if origin == "microphone"]
    assert (pictures, sorted(sounds)) == (["c"], ["a", "b", "c"])
    bench.router.watch("me", ())
    bench.outputs()
    assert {origin for _, _, origin in seats(bench, "me")} == {"microphone"}


def test_with_fewer_seats_than_people_those_who_are_shown_sit_first_and_then_the_last_speakers() -> None:
    bench = Bench("me", *"abcd")
    for who in "abcd":
        bench.send(who)
    bench.receive("me", seats=2)
    bench.router.watch("me", (View("b", "camera", 360),))
    bench.outputs()
    loud = source_facts(bench.sources["d", "audio"], loudness=110)
    for tick in range(30):
        bench.router.receive(facts_of(loud), lambda: NONE, 1_000_000 + tick * 20_000)
    bench.outputs()
    assert sorted({who for _, who, _ in seats(bench, "me")}) == ["b", "d"]


def test_publishers_hear_how_tall_anybody_sees_them_when_it_changes() -> None:
    bench = Bench("ann", "bob", "cy")
    bench.send("ann")
    bench.outputs()

    def told() -> list[int]:
        return [said.views[0].height_px for said in of(LookedAt, bench.outputs()) if said.participant_id == "ann"]

    assert of(LookedAt, bench.did)[-1].views == (OwnView("camera", 0),)
    bench.receive("bob", seats=2)
    assert told() == [FULL_HEIGHT_PX]
    bench.router.watch("bob", (View("ann", "camera", 180),))
    assert told() == [180]
    cy = bench.receive("cy", seats=2)
    assert told() == [FULL_HEIGHT_PX]
    bench.router.watch("cy", (View("ann", "camera", 90),))
    assert told() == [180]
    bench.router.watch("bob", ())
    assert told() == [90]
    bench.router.gone(cy)
    assert told() == [0]
    bench.router.receive(facts_of(), lambda: NONE, 9_000_000)
    assert told() == [0], "said again: a socket may have been away"


def test_layers_are_learnt_by_rid_chosen_by_height_and_repaired_each() -> None:
    bench = Bench("ann", "bob")
    layered(bench, "ann")
    bench.receive("bob")
    q = learn(bench, "q", 1)
    assert playing(bench) == q
    f, h = learn(bench, "f", 3), learn(bench, "h", 2)
    assert playing(bench) == f
    bench.router.watch("bob", (View("ann", "camera", 300),))
    bench.outputs()
    assert playing(bench) == h
    bench.router.meet(UnknownStream(50, 13, 97, "1", "", "h"))
    assert of(Repair, bench.outputs()) == [Repair(h, 13)]
    for stranger in (
        UnknownStream(50, 9, 96, "1", "x", ""),
        UnknownStream(50, 9, 96, "1", "q", ""),
        UnknownStream(50, 9, 96, "2", "q", ""),
        UnknownStream(50, 9, 44, "1", "q", ""),
        UnknownStream(51, 9, 96, "1", "q", ""),
    ):
        bench.router.meet(stranger)
        assert bench.outputs() == []


class Camera:
    """Two layers, of which each tick says which were heard."""

    def __init__(self) -> None:
        self.bench = Bench("ann", "bob")
        layered(self.bench, "ann")
        self.bench.receive("bob")
        self.sources = {rid: learn(self.bench, rid, n) for n, rid in ((1, "q"), (3, "f"))}
        self.packets = dict.fromkeys(self.sources, 0)
        self.now_us = 1_000_000

    def ticks(self, heard: str, count: int, every_us: int = 20_000) -> str:
        """So many ticks at which these layers sent something; which of them plays then."""
        for _ in range(count):
            self.now_us += every_us
            for rid in heard:
                self.packets[rid] += 1
            facts = (source_facts(self.sources[rid], packets=self.packets[rid]) for rid in self.sources)
            self.bench.router.receive(facts_of(*facts), lambda: NONE, self.now_us)
            self.bench.outputs()
        plays = playing(self.bench)
        return next(rid for rid, source in self.sources.items() if source == plays)


def test_a_layer_that_falls_silent_is_left_soon_and_taken_again_when_it_is_back_for_good() -> None:
    camera = Camera()
    assert camera.ticks("qf", 10) == "f"
    assert camera.ticks("q", 9) == "f"
    assert camera.ticks("q", 2) == "q", "0.2 s"
    assert camera.ticks("qf", 50) == "q", "not yet"
    assert camera.ticks("qf", 51) == "f"
    camera.ticks("q", 200)
    assert camera.ticks("qf", 1) == "f", "after a long silence at once"


def test_a_gap_of_all_layers_and_a_slow_camera_are_no_silence() -> None:
    camera = Camera()
    assert camera.ticks("qf", 10) == "f"
    assert camera.ticks("", 200) == "f"
    for _ in range(10):  # two pictures a second, the big layer's a tick later
        assert camera.ticks("q", 1, 480_000) == "f"
        assert camera.ticks("f", 1) == "f"


def test_the_smallest_layer_is_given_up_later() -> None:
    camera = Camera()
    camera.bench.router.watch("bob", (View("ann", "camera", 180),))
    assert camera.ticks("qf", 10) == "q"
    assert camera.ticks("f", 15) == "q"
    assert camera.ticks("f", 10) == "f"


def test_reports_of_layers_put_them_on_one_timeline() -> None:
    bench = Bench("ann", "bob")
    layered(bench, "ann")
    q, f = learn(bench, "q", 1), learn(bench, "f", 3)
    reports = SenderReport(1, 7 << 32, 90_000, 3, 300), SenderReport(3, (7 << 32) + (1 << 31), 5_000, 3, 300)
    bench.router.receive_rtcp(50, reports, lambda: NONE, 0)
    assert of(Align, bench.outputs()) == [Align(q, 7 * 90_000 - 90_000), Align(f, 7 * 90_000 + 45_000 - 5_000)]


@pytest.mark.parametrize(
    ("wanted", "present", "chosen"),
    [
        (90, None, "q"),
        (180, None, "q"),
        (181, None, "h"),
        (190, "q", "q"),
        (199, "q", "h"),
        (180, "h", "q"),
        (8192, "h", "f"),
    ],
)
def test_the_smallest_layer_that_is_tall_enough_is_chosen_and_kept_where_it_nearly_is(
    wanted: int, present: str | None, chosen: str
) -> None:
    layers = [Layer(rid, n, n) for n, rid in enumerate(RIDS)]
    found = choose(layers, wanted, None if present is None else RIDS.index(present))
    assert found is not None
    assert found.rid == chosen
    layers[RIDS.index("h")].keyframe_px = 720  # the whole is 1440 then
    taller = choose(layers, 361, None)
    assert taller is not None
    assert taller.rid == "h"


def test_a_slot_without_the_codec_stays_empty() -> None:
    bench = Bench("ann", "bob")
    section = PublishedSection("1", "video", "camera", "AV1", 45, 90_000, 7)
    bench.router.offer_send("ann", 50, Publication(IngressExtensions(), (section,)))
    bench.router.ready(50)
    bench.receive("bob")
    bench.outputs()
    assert of(Route, bench.did) == []


def test_a_flood_of_nacks_costs_so_many_resends_a_second_and_no_more() -> None:
    bench = Bench("ann", "bob")
    bench.send("ann")
    receiving = bench.receive("bob")
    video = next(change.sink for change in of(AddSink, bench.outputs()) if change.sink.kind == "video")
    flood: tuple[Any, ...] = (Nack(1, video.ssrc, tuple(range(1000))),) * 20
    sinks: tuple[SinkFacts, ...] = ()
    for n in range(100):
        bench.router.receive_rtcp(receiving, flood, lambda: sinks, n * 10_000)
    resent = sum(len(out.sequences) for out in of(Resend, bench.outputs()))
    assert RESENDS_PER_S <= resent <= 2 * RESENDS_PER_S


def test_a_budget_fills_up_again_but_never_beyond_a_second() -> None:
    budget = Budget(100)
    assert budget.take(150, 0) == 100
    assert budget.take(10, 50_000) == 5
    assert budget.take(1000, 9_000_000) == 100

"""Whatever the order of plans, connects, drops, layers and views: table, seats and plan say the same in the end."""

from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from media.control import Assignment, LookedAt, Plan, PlannedParticipant, SlotsAssigned, View
from media.kernel.table import IngressExtensions, UnknownStream
from media.kernel.twin import Twin
from media.sfu.router import Router
from media.sfu.seats import Unit
from media.sfu.values import Close, Publication, PublishedSection, SendRtcp, SlotTerms

PEOPLE = ("ann", "bob", "cy")
ORIGINS = {"0": "microphone", "1": "camera", "2": "screen", "3": "screen-sound"}
who = st.sampled_from(PEOPLE)


class Way:
    """A way out that counts nothing and goes nowhere."""

    ready, address = False, None

    def protect(self, packet: bytes) -> bytes:
        return packet

    def sendto(self, packet: bytes, address: object) -> None:
        """Gone."""


class Convergence(RuleBasedStateMachine):
    """A router and a twin that does what it says, as a relay binds them."""

    def __init__(self) -> None:
        super().__init__()
        ids, ssrcs = count(1000), count(50_000)
        self.peers, self.twin = count(1), Twin()
        self.router = Router("m", lambda: next(ids), lambda: next(ssrcs))
        self.ways: dict[int, Way] = {}
        self.owner: dict[int, tuple[str, str]] = {}
        self.wished: dict[str, PlannedParticipant] = {}
        self.told: dict[str, tuple[Assignment, ...]] = {}
        self.looked_at: dict[str, Any] = {}
        self.now_us = 0

    def settle(self) -> None:
        while outputs := self.router.outputs():
            for output in outputs:
                match output:
                    case Close(peer):
                        self.twin.detach(peer)
                        self.ways.pop(peer, None)
                        self.owner.pop(peer, None)
                    case SlotsAssigned():
                        self.told[output.participant_id] = output.assignments
                    case LookedAt():
                        self.looked_at[output.participant_id] = output.views
                    case SendRtcp():
                        pass
                    case _ if type(output).__module__ == "media.kernel.table":
                        self.twin.apply([output])

    def new_peer(self, name: str, what: str) -> int:
        peer = next(self.peers)
        self.ways[peer], self.owner[peer] = Way(), (name, what)
        self.twin.attach(peer, self.ways[peer])
        return peer

    @rule(people=st.dictionaries(who, st.tuples(st.booleans(), st.booleans(), st.booleans())))
    def plan(self, people: dict[str, tuple[bool, bool, bool]]) -> None:
        self.wished = {name: PlannedParticipant(name, *wish) for name, wish in people.items()}
        self.router.plan(Plan("m", 1, tuple(self.wished.values())))
        self.settle()

    @initialize(people=st.sets(who, min_size=2))
    def begin(self, people: set[str]) -> None:
        """Most of them are in the meeting and connected: the rest of the story is about change."""
        self.plan(dict.fromkeys(sorted(people), (True, True, True)))
        for name in sorted(people):
            for peer in (self.send(name, name == "ann", True), self.receive(name, 3)):
                self.become(peer, "ready")

    @rule(name=who, simulcast=st.booleans(), screen=st.booleans(), seats=st.integers(0, 4))
    def connect(self, name: str, simulcast: bool, screen: bool, seats: int) -> None:
        if name in self.wished:
            self.send(name, simulcast, screen)
            self.receive(name, seats)

    def send(self, name: str, simulcast: bool, screen: bool) -> int:
        peer = self.new_peer(name, "send")
        camera = (None, None, ("q", "f")) if simulcast else (peer * 100 + 1, None, ())
        sections = [
            PublishedSection("0", "audio", "microphone", "opus", 111, 48_000, peer * 100),
            PublishedSection("1", "video", "camera", "VP8", 96, 90_000, *camera),
        ]
        if screen:
            sections.append(PublishedSection("2", "video", "screen", "VP8", 96, 90_000, peer * 100 + 2))
            sections.append(PublishedSection("3", "audio", "screen-sound", "opus", 111, 48_000, peer * 100 + 3))
        self.router.offer_send(name, peer, Publication(IngressExtensions(), tuple(sections)))
        self.settle()
        return peer

    def receive(self, name: str, seats: int) -> int:
        peer = self.new_peer(name, "receive")
        sections = [(str(n), "audio" if n % 2 == 0 else "video") for n in range(2 * seats)]
        self.router.reserve_slots(name, peer, sections)
        terms = [SlotTerms(mid, {"opus": (111, None), "VP8": (96, 97)}) for mid, _ in sections]
        self.router.offer_receive(name, peer, terms)
        self.settle()
        return peer

    @precondition(lambda self: self.ways)
    @rule(data=st.data(), what=st.sampled_from(("ready", "ready", "ready", "gone", "q", "f", "f")))
    def happen(self, data: st.DataObject, what: str) -> None:
        self.become(data.draw(st.sampled_from(sorted(self.ways))), what)

    def become(self, peer: int, what: str) -> None:
        if what == "ready":
            self.ways[peer].ready = True
            self.router.ready(peer)
        elif what == "gone":
            self.router.gone(peer)
        else:
            self.router.meet(UnknownStream(peer, peer * 100 + 10 + ord(what), 96, "1", what, ""))
        self.settle()

    @rule(
        name=who, views=st.lists(st.tuples(who, st.sampled_from(("camera", "screen")), st.sampled_from((0, 90, 720))))
    )
    def watch(self, name: str, views: list[tuple[str, Any, int]]) -> None:
        self.router.watch(name, tuple(View(*view) for view in views))
        self.settle()

    @rule(pause_us=st.sampled_from((20_000, 3_000_000)))
    def pass_time(self, pause_us: int) -> None:
        self.now_us += pause_us
        self.router.receive(self.twin.facts(), self.twin.sinks, self.now_us)
        self.settle()

    # --- what must hold after each step ------------------------------------------------------------------------------
    @invariant()
    def only_who_is_planned_is_connected(self) -> None:
        assert {name for name, _ in self.owner.values()} <= set(self.wished)
        assert set(self.router.present) <= set(self.wished)
        assert self.twin._peers.keys() == self.ways.keys()

    @invariant()
    def gates_are_as_wished(self) -> None:
        for source in self.twin._sources.values():
            wish = self.wished[self.owner[source.entry.peer][0]]
            origin = self.origin_of(source.entry.id)
            assert source.open is {"microphone": wish.audio, "camera": wish.video}.get(origin, wish.screen)

    @invariant()
    def routes_are_as_browsers_were_told(self) -> None:
        for member in self.router._members.values():
            receiving = member.receiving
            if receiving is None or not receiving.ready:
                continue
            fed = {
                (slot.identity.mid, self.owner[sink.wanted.entry.peer][0], self.origin_of(sink.wanted.entry.id))
                for slot_sink, slot in receiving.by_sink.items()
                if (sink := self.twin._sinks[slot_sink]).wanted is not None
            }
            told = {(a.mid, a.participant_id, a.origin) for a in self.told.get(member.id, ())}
            assert fed == told
            assert member.id not in {name for _, name, _ in fed}
            for unit in receiving.held.values():
                assert not unit.screen or self.wished[unit.participant_id].screen

    @invariant()
    def sinks_hang_where_they_play(self) -> None:
        for source in self.twin._sources.values():
            assert all(source in (sink.wanted, sink.current) for sink in source.sinks)
            assert len(set(map(id, source.sinks))) == len(source.sinks)
        for sink in self.twin._sinks.values():
            for source in (sink.wanted, sink.current):
                assert source is None or (sink in source.sinks and source.entry.id in self.twin._sources)

    @invariant()
    def what_is_looked_at_is_what_is_shown(self) -> None:
        for member in self.router._members.values():
            if member.sending is None or not member.sending.ready:
                continue
            for view in self.looked_at[member.id]:
                unit = Unit(member.id, screen=view.origin == "screen")
                heights = [
                    viewer.receiving.heights.get(unit, 0)
                    for viewer in self.router._members.values()
                    if viewer.receiving is not None and viewer.receiving.ready
                ]
                assert view.height_px == max(heights, default=0)

    def origin_of(self, source: int) -> str:
        return self.router._sources[source][0].origin


Convergence.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestConvergence = Convergence.TestCase

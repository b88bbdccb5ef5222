"""The loop that binds the media plane: sockets, connections, kernel and router. It alone reads the clock.

A relay is given plans and offers (`perform`) and says what happens (`report`, called inside its loop, never waited
for). Packets go from the socket through the kernel to the socket; facts go up to the router some tens of times a
second. A browser that is a stranger, or a packet that is malformed, costs a counter and nothing else.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Final, assert_never

import structlog

from media import control
from media.figures import Counters, Figures, Now, Total
from media.kernel import Kernel, make_kernel
from media.kernel.table import UnknownStream
from media.negotiation import NegotiationTerms, accept_receive, accept_send
from media.rtp.packets import MalformedPacket
from media.rtp.rtcp import parse_compound
from media.sfu.router import Router
from media.sfu.values import Close, Output, SendRtcp
from media.transport.connection import Connection, Endpoint
from media.transport.sdp import BadSdp

log = structlog.get_logger(__name__)

TICK_S: Final = 0.02
SILENT_US: Final = 15_000_000
"""Browsers check their path every few seconds (RFC 7675); one that is silent for this long is gone."""
SETUP_US: Final = 20_000_000
"""An answered offer whose connection never came up is forgotten after this."""
LINGER_US: Final = 6_000_000
"""A meeting that moved elsewhere is forwarded for this long, or until its browsers have let go."""


@dataclass(slots=True, eq=False)
class _Peer:
    id: int
    meeting: "_Meeting"
    participant_id: str
    connection: Connection
    since_us: int


@dataclass(slots=True, eq=False)
class _Meeting:
    id: str
    router: Router
    kernel: Kernel
    peers: dict[int, _Peer] = field(default_factory=dict)
    until_us: int | None = None
    """Set once another relay carries the meeting: what we still forward ends then, and is not talked about."""


class Relay:
    """One process's relay: many meetings on one UDP and one TCP port."""

    def __init__(
        self,
        *,
        listen_address: str,
        port: int,
        advertised: tuple[str, ...],
        report: Callable[[control.Report], None],
        clock_us: Callable[[], int] = lambda: time.monotonic_ns() // 1000,
    ) -> None:
        self.port = port
        self._report = report
        self._clock_us = clock_us
        self._endpoint = Endpoint(listen_address, port, advertised)
        self._meetings: dict[str, _Meeting] = {}
        self._lingering: list[_Meeting] = []
        self._ids = count(1)
        self._ssrcs: set[int] = set()
        self._past = Counters()
        self._totals = {"nacks_sent": 0, "keyframes_asked": 0, "offers": 0, "declined": 0}
        self._ticker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bind the ports. Raise OSError where they are taken."""
        await self._endpoint.start()
        self.port = self._endpoint.port
        self._ticker = asyncio.get_running_loop().create_task(self._tick_forever())

    async def close(self) -> None:
        """Say goodbye to every browser and let the ports go."""
        if self._ticker is not None:
            self._ticker.cancel()
        for meeting_id in {meeting.id for meeting in self._all()}:
            self.abandon(meeting_id)
        await self._endpoint.close()

    # --- what ought to be --------------------------------------------------------------------------------------------
    def perform(self, command: control.Command) -> None:
        """Take a plan, an offer, or what a page shows; never waits. What belongs to another epoch changes nothing."""
        match command:
            case control.Plan():
                meeting = self._meetings.get(command.meeting_id)
                if meeting is None:
                    meeting = self._meetings[command.meeting_id] = self._new_meeting(command.meeting_id)
                if command.epoch >= meeting.router.epoch:
                    meeting.router.plan(command)
                    self._flush(meeting)
            case control.Negotiate():
                self._negotiate(command)
            case control.Watch():
                meeting = self._meetings.get(command.meeting_id)
                if meeting is not None and (command.version, command.epoch) == (control.VERSION, meeting.router.epoch):
                    meeting.router.watch(command.participant_id, command.views)
                    self._flush(meeting)
            case _:
                assert_never(command)

    def abandon(self, meeting_id: str) -> None:
        """Stop carrying a meeting, at once: it is over."""
        for meeting in self._all():
            if meeting.id == meeting_id:
                self._end(meeting)
        self._meetings.pop(meeting_id, None)

    def linger(self, meeting_id: str) -> None:
        """Another relay carries the meeting: go on forwarding until its browsers have gone there, and say nothing."""
        meeting = self._meetings.pop(meeting_id, None)
        if meeting is not None:
            meeting.until_us = self._clock_us() + LINGER_US
            self._lingering.append(meeting)

    @property
    def lingering(self) -> frozenset[str]:
        """Meetings that moved elsewhere and are still forwarded here."""
        return frozenset(meeting.id for meeting in self._lingering)

    def restrain(self, plan: control.Plan) -> None:
        """A lingering meeting follows later plans too: who was muted or removed meanwhile is so here as well."""
        for meeting in self._lingering:
            if meeting.id == plan.meeting_id:
                meeting.router.plan(plan)
                self._flush(meeting)

    def _all(self) -> list[_Meeting]:
        return [*self._meetings.values(), *self._lingering]

    def _end(self, meeting: _Meeting) -> None:
        if meeting in self._lingering:
            self._lingering.remove(meeting)
        for peer in list(meeting.peers.values()):
            peer.connection.close()
        self._past = _sum((self._past, meeting.kernel.counters))

    def knows(self, meeting_id: str, participant_id: str) -> bool:
        """Whether a plan of ours lists this participant."""
        meeting = self._meetings.get(meeting_id)
        return meeting is not None and meeting.router.knows(participant_id)

    def present(self) -> list[str]:
        """Participants with a connection that is up."""
        return [name for meeting in self._all() for name in meeting.router.present]

    @property
    def connections(self) -> int:
        """How many browsers' connections we have."""
        return sum(len(meeting.peers) for meeting in self._all())

    def figures(self) -> Figures:
        """For metrics."""
        counters = _sum((self._past, *(meeting.kernel.counters for meeting in self._all())))
        total = {name: getattr(counters, name) for name in Counters.__dataclass_fields__}
        return Figures(
            Now(len(self._meetings), self.connections),
            Total(**total, **self._totals, strangers=self._endpoint.strangers),
        )

    # --- offers ------------------------------------------------------------------------------------------------------
    def _negotiate(self, offer: control.Negotiate) -> None:
        self._totals["offers"] += 1
        meeting = self._meetings.get(offer.meeting_id)
        if offer.version != control.VERSION:
            return self._decline(offer, "relay.version", "This relay speaks another version.")
        if meeting is None or offer.epoch != meeting.router.epoch:
            return self._decline(offer, "relay.unavailable", "The meeting is carried elsewhere.")
        if not meeting.router.knows(offer.participant_id):
            return self._decline(offer, "participant.unknown", "The meeting does not know this participant.")
        peer = self._new_peer(meeting, offer.participant_id)
        terms = NegotiationTerms(meeting.router, offer.participant_id, peer.id, peer.connection)
        try:
            accept = accept_send if offer.connection == "send" else accept_receive
            answer = accept(terms, offer.sdp, offer.origins)
        except BadSdp as bad:
            self._drop(peer)
            meeting.router.gone(peer.id)
            self._flush(meeting)
            return self._decline(offer, bad.code, bad.detail)
        self._flush(meeting)
        self._report(
            control.Negotiated(
                offer.correlation, offer.meeting_id, offer.epoch, offer.participant_id, offer.connection, answer
            )
        )
        return None

    def _decline(self, offer: control.Negotiate, code: str, detail: str) -> None:
        self._totals["declined"] += 1
        self._report(control.Declined(offer.correlation, code, detail))

    def _new_meeting(self, meeting_id: str) -> _Meeting:
        router = Router(meeting_id, lambda: next(self._ids), self._new_ssrc)

        def meet(unknown: UnknownStream) -> None:
            router.meet(unknown)
            self._flush(meeting)

        def lost(source: int, sequences: range, now_us: int) -> None:
            router.lost(source, sequences, now_us)
            self._flush(meeting)

        meeting = _Meeting(meeting_id, router, make_kernel(meet, lost))
        return meeting

    def _new_peer(self, meeting: _Meeting, participant_id: str) -> _Peer:
        peer_id = next(self._ids)
        receive = meeting.kernel.receive

        def on_rtp(packet: bytes, now_us: int) -> None:
            receive(peer_id, packet, now_us)

        def on_rtcp(packet: bytes, now_us: int) -> None:
            try:
                parsed = parse_compound(packet)
            except MalformedPacket:
                return
            meeting.router.receive_rtcp(peer_id, parsed, meeting.kernel.sinks, now_us)
            self._flush(meeting)

        def on_ready() -> None:
            meeting.router.ready(peer_id)
            self._flush(meeting)

        def on_closed() -> None:
            meeting.router.gone(peer_id)
            self._flush(meeting)

        connection = self._endpoint.create_connection(
            on_ready=on_ready, on_rtp=on_rtp, on_rtcp=on_rtcp, on_closed=on_closed
        )
        peer = _Peer(peer_id, meeting, participant_id, connection, self._clock_us())
        meeting.peers[peer_id] = peer
        meeting.kernel.attach(peer_id, connection)
        return peer

    def _drop(self, peer: _Peer) -> None:
        if peer.meeting.peers.pop(peer.id, None) is None:
            return
        peer.meeting.kernel.detach(peer.id)
        peer.connection.close()

    def _new_ssrc(self) -> int:
        while True:
            ssrc = secrets.randbits(32)
            if ssrc > 1 and ssrc not in self._ssrcs:
                self._ssrcs.add(ssrc)
                return ssrc

    # --- the loop ----------------------------------------------------------------------------------------------------
    async def _tick_forever(self) -> None:
        """Every 20 ms; late ticks are skipped, not made up for."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + TICK_S, loop.time())
            await asyncio.sleep(due - loop.time())
            now_us = self._clock_us()
            for meeting in self._all():
                try:
                    self._tick(meeting, now_us)
                except Exception:
                    log.exception("relay.tick.failed", meeting_id=meeting.id)

    def _tick(self, meeting: _Meeting, now_us: int) -> None:
        if meeting.until_us is not None and (now_us > meeting.until_us or not meeting.peers):
            self._end(meeting)
            return
        for peer in list(meeting.peers.values()):
            connection = peer.connection
            quiet_us = now_us - max(connection.last_received_us, peer.since_us)
            if quiet_us > (SILENT_US if connection.ready else SETUP_US):
                meeting.router.gone(peer.id)
        meeting.router.receive(meeting.kernel.facts(), meeting.kernel.sinks, now_us)
        self._flush(meeting)

    def _flush(self, meeting: _Meeting) -> None:
        """Carry out everything that the router wants."""
        while outputs := meeting.router.outputs():
            self._carry_out(meeting, outputs)

    def _carry_out(self, meeting: _Meeting, outputs: Iterable[Output]) -> None:
        apply = meeting.kernel.apply
        for output in outputs:
            match output:
                case SendRtcp(peer_id, packet):
                    if (peer := meeting.peers.get(peer_id)) is not None and peer.connection.ready:
                        peer.connection.send_rtcp(packet)
                        self._count_rtcp(packet)
                case Close(peer_id):
                    if (peer := meeting.peers.get(peer_id)) is not None:
                        self._drop(peer)
                case (
                    control.ConnectionChanged()
                    | control.SlotsAssigned()
                    | control.SpeakersHeard()
                    | control.LookedAt()
                    | control.Negotiated()
                    | control.Declined()
                ):
                    if meeting.until_us is None:
                        self._report(output)
                case _:
                    apply((output,))

    def _count_rtcp(self, packet: bytes) -> None:
        kind = packet[1], packet[0] & 31
        if kind == (205, 1):
            self._totals["nacks_sent"] += 1
        elif kind == (206, 1):
            self._totals["keyframes_asked"] += 1


def _sum(many: Iterable[Counters]) -> Counters:
    rows = list(many)
    return Counters(**{name: sum(getattr(row, name) for row in rows) for name in Counters.__dataclass_fields__})

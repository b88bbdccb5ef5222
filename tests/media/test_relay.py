"""The relay as a whole, in this process, with real WebRTC clients (aiortc) at both ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import av
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from aiortc.mediastreams import MediaStreamTrack

from media import control
from media.relay import Relay
from tests.media.transport.clients import until

PATIENCE_S = 30


class Pictures(VideoStreamTrack):
    """Small moving pictures; cheap to encode."""

    async def recv(self) -> av.VideoFrame:
        timestamp, base = await self.next_timestamp()
        frame = av.VideoFrame(160, 120, "yuv420p")
        for place, plane in enumerate(frame.planes):
            plane.update(bytes([(timestamp // 3000 * 7 + place * 60) % 256]) * plane.buffer_size)
        frame.pts, frame.time_base = timestamp, base
        return frame


class Client:
    """Somebody with up to two connections to the relay."""

    def __init__(self, hall: "Hall", name: str) -> None:
        self.hall, self.name = hall, name
        self.peers: list[RTCPeerConnection] = []
        self.frames = 0

    def _peer(self) -> RTCPeerConnection:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.peers.append(peer)
        return peer

    async def send(self) -> RTCPeerConnection:
        peer = self._peer()
        peer.addTransceiver(Pictures(), direction="sendonly")
        await self._negotiate(peer, "send")
        return peer

    async def receive(self) -> RTCPeerConnection:
        peer = self._peer()
        peer.addTransceiver("video", direction="recvonly")
        peer.on("track", lambda track: self.hall.tasks.append(asyncio.create_task(self._watch(track))))
        await self._negotiate(peer, "receive")
        return peer

    async def _watch(self, track: MediaStreamTrack) -> None:
        while True:
            await track.recv()
            self.frames += 1

    async def _negotiate(self, peer: RTCPeerConnection, connection: control.Connection) -> None:
        await peer.setLocalDescription(await peer.createOffer())
        answer = await self.hall.offer(self.name, connection, peer.localDescription.sdp)
        assert isinstance(answer, control.Negotiated), answer
        await peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))

    async def sees_more(self, frames: int = 10) -> None:
        goal = self.frames + frames
        await until(lambda: self.frames >= goal, PATIENCE_S)


class Hall:
    """A relay that carries one meeting, and everything that it said."""

    def __init__(self) -> None:
        self.said: list[control.Report] = []
        self.relay = Relay(listen_address="127.0.0.1", port=0, advertised=("127.0.0.1",), report=self.said.append)
        self.tasks: list[asyncio.Task[None]] = []
        self.clients: list[Client] = []
        self._numbers = count(1)

    def client(self, name: str) -> Client:
        made = Client(self, name)
        self.clients.append(made)
        return made

    def plan(self, *people: control.PlannedParticipant | str, epoch: int = 1) -> None:
        planned = tuple(control.PlannedParticipant(p) if isinstance(p, str) else p for p in people)
        self.relay.perform(control.Plan("m", epoch, planned))

    async def offer(self, who: str, connection: control.Connection, sdp: str, **more: Any) -> control.Report:
        number = str(next(self._numbers))
        word = {"version": control.VERSION, "epoch": 1} | more
        self.relay.perform(
            control.Negotiate(
                correlation=number, meeting_id="m", participant_id=who, connection=connection, sdp=sdp, **word
            )
        )
        return next(report for report in self.said if getattr(report, "correlation", None) == number)

    @property
    def total(self) -> Any:
        return self.relay.figures().total


@asynccontextmanager
async def hall(*people: str) -> AsyncIterator[Hall]:
    made = Hall()
    await made.relay.start()
    made.plan(*people)
    try:
        yield made
    finally:
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)
        for client in made.clients:
            for peer in client.peers:
                await peer.close()
        await made.relay.close()


def lossy(receive: Callable[..., Any], every: int) -> Callable[..., Any]:
    """Lose each n-th media packet on its way."""
    number = count(1)

    def lose(*arguments: Any) -> Any:
        packet = arguments[0]
        media = 128 <= packet[0] < 192 and not 192 <= packet[1] <= 223
        return None if media and next(number) % every == 0 else receive(*arguments)

    return lose


async def test_what_one_sends_the_other_sees_and_never_oneself() -> None:
    async with hall("ann", "bob") as m:
        ann, bob = m.client("ann"), m.client("bob")
        await ann.send()
        await ann.receive()
        await bob.receive()
        await bob.sees_more(20)
        assert ann.frames == 0
        slots = [s for s in m.said if isinstance(s, control.SlotsAssigned) and s.participant_id == "bob"]
        assert [a.participant_id for a in slots[-1].assignments] == ["ann"]


async def test_packets_lost_towards_the_viewer_are_sent_again() -> None:
    async with hall("ann", "bob") as m:
        await m.client("ann").send()
        bob = m.client("bob")
        await bob.receive()
        await bob.sees_more(5)
        (viewer,) = [
            p for meeting in m.relay._meetings.values() for p in meeting.peers.values() if p.participant_id == "bob"
        ]
        viewer.connection.sendto = lossy(viewer.connection.sendto, 10)
        await until(lambda: m.total.resent >= 3, PATIENCE_S)
        await bob.sees_more(20)


async def test_packets_lost_on_the_way_in_are_asked_for_again() -> None:
    async with hall("ann", "bob") as m:
        ann, bob = m.client("ann"), m.client("bob")
        await ann.send()
        await bob.receive()
        await bob.sees_more(5)
        (publisher,) = [
            p for meeting in m.relay._meetings.values() for p in meeting.peers.values() if p.participant_id == "ann"
        ]
        publisher.connection._on_rtp = lossy(publisher.connection._on_rtp, 10)
        await until(lambda: m.total.nacks_sent >= 3 and m.total.repaired >= 3, PATIENCE_S)
        await bob.sees_more(20)


async def test_a_closed_camera_goes_nowhere_and_comes_back_with_a_keyframe() -> None:
    async with hall("ann", "bob") as m:
        await m.client("ann").send()
        bob = m.client("bob")
        await bob.receive()
        await bob.sees_more(5)
        m.plan(control.PlannedParticipant("ann", video=False), "bob")
        out, gated = m.total.packets_out, m.total.gated
        await until(lambda: m.total.gated >= gated + 20, PATIENCE_S)
        assert m.total.packets_out == out
        m.plan("ann", "bob")
        await bob.sees_more(10)


async def test_a_new_connection_takes_over_without_a_gap_for_the_viewer() -> None:
    async with hall("ann", "bob") as m:
        ann, bob = m.client("ann"), m.client("bob")
        first = await ann.send()
        await bob.receive()
        await bob.sees_more(5)
        await ann.send()
        await until(lambda: first.connectionState == "closed", PATIENCE_S)
        await bob.sees_more(20)


async def test_a_late_viewer_gets_a_picture_at_once() -> None:
    async with hall("ann", "bob", "cy") as m:
        await m.client("ann").send()
        bob, cy = m.client("bob"), m.client("cy")
        await bob.receive()
        await bob.sees_more(30)
        await cy.receive()
        await cy.sees_more(10)
        assert m.total.keyframes_asked >= 1


@pytest.mark.parametrize(
    ("more", "sdp", "code"),
    [
        ({}, "v=0\r\n", "sdp.malformed"),
        ({}, "v=0\r\n" + "a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n" * 2900, "sdp.too-large"),
        ({"version": 99}, "v=0\r\n", "relay.version"),
        ({"epoch": 7}, "v=0\r\n", "relay.unavailable"),
    ],
)
async def test_a_bad_offer_is_one_refusal_and_the_others_notice_nothing(more: Any, sdp: str, code: str) -> None:
    async with hall("ann", "bob") as m:
        await m.client("ann").send()
        bob = m.client("bob")
        await bob.receive()
        await bob.sees_more(3)
        before = m.relay.connections
        refused = await m.offer("bob", "receive", sdp, **more)
        assert isinstance(refused, control.Declined)
        assert refused.code == code
        assert m.relay.connections == before
        await bob.sees_more(10)


async def test_who_is_not_planned_is_refused_and_who_leaves_the_plan_is_cut_off() -> None:
    async with hall("ann", "bob") as m:
        stranger = await m.offer("eve", "receive", "v=0\r\n")
        assert isinstance(stranger, control.Declined)
        assert stranger.code == "participant.unknown"
        ann, bob = m.client("ann"), m.client("bob")
        sending = await ann.send()
        await bob.receive()
        await bob.sees_more(3)
        m.plan("bob")
        await until(lambda: sending.connectionState == "closed", PATIENCE_S)
        assert m.relay.connections == 1
        slots = [s for s in m.said if isinstance(s, control.SlotsAssigned)]
        assert slots[-1].assignments == ()


async def test_an_abandoned_meeting_is_gone_and_its_counts_stay() -> None:
    async with hall("ann", "bob") as m:
        await m.client("ann").send()
        bob = m.client("bob")
        await bob.receive()
        await bob.sees_more(3)
        m.relay.abandon("m")
        m.relay.abandon("m")
        figures = m.relay.figures()
        assert (figures.now.meetings, figures.now.connections) == (0, 0)
        assert figures.total.packets_out > 0
        refused = await m.offer("ann", "send", "v=0\r\n")
        assert isinstance(refused, control.Declined)


async def test_a_meeting_that_moved_is_forwarded_in_silence_until_its_browsers_have_gone() -> None:
    async with hall("ann", "bob") as m:
        ann, bob = m.client("ann"), m.client("bob")
        sending = await ann.send()
        await bob.receive()
        await bob.sees_more(5)
        m.relay.linger("m")
        said = len(m.said)
        await bob.sees_more(10)
        refused = await m.offer("ann", "send", "v=0\r\n")
        assert isinstance(refused, control.Declined)
        assert refused.code == "relay.unavailable"
        # Who was muted meanwhile goes nowhere here either, and who was removed is cut off.
        later = control.Plan(
            "m", 2, (control.PlannedParticipant("ann", video=False), control.PlannedParticipant("bob"))
        )
        m.relay.restrain(later)
        out, gated = m.total.packets_out, m.total.gated
        await until(lambda: m.total.gated >= gated + 5, PATIENCE_S)
        assert m.total.packets_out == out
        m.relay.restrain(control.Plan("m", 3, (control.PlannedParticipant("bob"),)))
        await until(lambda: sending.connectionState == "closed", PATIENCE_S)
        assert m.relay.lingering == {"m"}
        await bob.peers[0].close()
        await until(lambda: not m.relay.lingering, PATIENCE_S)
        assert [type(one) for one in m.said[said:]] == [control.Declined]
        assert m.relay.connections == 0


async def test_a_meeting_may_come_back_while_its_old_self_lingers_and_both_end() -> None:
    async with hall("ann", "bob") as m:
        ann, bob = m.client("ann"), m.client("bob")
        await ann.send()
        await bob.receive()
        await bob.sees_more(3)
        m.relay.linger("m")
        m.plan("ann", "bob", epoch=3)
        answered = await m.offer("bob", "receive", "v=0\r\n", epoch=1)
        assert isinstance(answered, control.Declined)
        assert m.relay.knows("m", "bob")
        await bob.sees_more(3)
        m.relay.abandon("m")
        assert (m.relay.connections, m.relay.lingering) == (0, frozenset())


async def test_words_of_another_epoch_change_nothing() -> None:
    async with hall("ann", "bob") as m:
        await m.client("ann").send()
        bob = m.client("bob")
        await bob.receive()
        await bob.sees_more(3)
        m.plan("ann", "bob", epoch=5)
        said = len(m.said)
        m.plan("bob", epoch=4)
        for stale in (control.Watch(control.VERSION, "m", 4, "bob", ()), control.Watch(99, "m", 5, "bob", ())):
            m.relay.perform(stale)
        m.relay.perform(control.Watch(control.VERSION, "elsewhere", 5, "bob", ()))
        assert m.relay.knows("m", "ann")
        await bob.sees_more(10)
        assert not [one for one in m.said[said:] if getattr(one, "epoch", 5) != 5]
        m.relay.perform(control.Watch(control.VERSION, "m", 5, "bob", ()))
        assert isinstance(m.said[-1], control.LookedAt)
        assert m.said[-1].views[0].height_px == 0


async def test_a_meeting_that_lingers_ends_by_itself_although_nobody_lets_go() -> None:
    async with hall("ann", "bob") as m:
        bob = m.client("bob")
        await m.client("ann").send()
        await bob.receive()
        await bob.sees_more(3)
        m.relay.linger("m")
        clock = m.relay._clock_us
        m.relay._clock_us = lambda: clock() + 7_000_000
        await until(lambda: not m.relay.lingering, PATIENCE_S)
        assert m.relay.connections == 0

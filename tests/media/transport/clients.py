"""A real WebRTC client (aiortc, whole) against our endpoint, and raw sockets as strangers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from media.transport.connection import Connection, Endpoint
from media.transport.sdp import LocalTransport, SlotTerms, answer_receive, answer_send, read_offer


@dataclass
class Browser:
    """What happened at one connection of ours, and the client at its other end."""

    endpoint: Endpoint
    peer: RTCPeerConnection
    connection: Connection = field(init=False)
    rtp: list[bytes] = field(default_factory=list)
    rtcp: list[bytes] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.connection = self.endpoint.create_connection(
            on_ready=self.ready.set,
            on_rtp=lambda packet, _now_us: self.rtp.append(packet),
            on_rtcp=lambda packet, _now_us: self.rtcp.append(packet),
            on_closed=self.closed.set,
        )

    async def offer(self) -> str:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return self.peer.localDescription.sdp

    async def answered(self, answer: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def send_connection(self, local: LocalTransport | None = None):
        """Negotiate what the client sends."""
        offer = read_offer(await self.offer())
        answer = answer_send(offer, local or self.connection.local)
        self.connection.set_remote(offer.fingerprint)
        await self.answered(answer.text)
        return answer

    async def receive_connection(self, terms: Callable[[str, str], SlotTerms]):
        """Negotiate the client's slots; `terms(mid, kind)` says what each sends as."""
        offer = read_offer(await self.offer())
        slots = {section.mid: terms(section.mid, section.kind) for section in offer.sections}
        answer = answer_receive(offer, self.connection.local, slots)
        self.connection.set_remote(offer.fingerprint)
        await self.answered(answer.text)
        return answer


@asynccontextmanager
async def endpoint() -> AsyncIterator[Endpoint]:
    one = Endpoint("127.0.0.1", 0)
    await one.start()
    try:
        yield one
    finally:
        await one.close()


@asynccontextmanager
async def browser(at: Endpoint) -> AsyncIterator[Browser]:
    one = Browser(at, RTCPeerConnection(RTCConfiguration(iceServers=[])))
    try:
        yield one
    finally:
        await one.peer.close()
        one.connection.close()


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for a condition, at most so long."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for happens inside somebody else's objects
            await asyncio.sleep(0.01)

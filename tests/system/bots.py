"""People without a browser: a socket, and connections that send pictures and sound encoded once, and count what comes.

Cheap enough that a dozen fit beside a browser: ICE and DTLS are aiortc's, then packets are written and counted by hand.
What they send is real VP8 and Opus, so that a browser shows and plays it. A keyframe comes every two seconds and when
the relay asks for one. They do not ask for what is lost, and do not follow a meeting that moves.
"""

import asyncio
import contextlib
import functools
import math
import secrets
import struct
import threading
import time
from array import array
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, Self, TypeVar

import httpx
import msgspec
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Encoder, VpxPayloadDescriptor
from aiortc.sdp import MediaDescription, SessionDescription
from av import AudioFrame, VideoFrame
from pylibsrtp import Error as SrtpError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from tests.load.peers.client import CHECK_EVERY_S, Client, Link, receive_session, transmit_session
from tests.load.peers.sdp import Local

ADDRESS = "127.0.0.1"
ANSWER_WITHIN_S = 15.0
TICK_S = 0.02
"""Of Opus: one packet each."""
TICKS_A_PICTURE = 5
PICTURES = 20
"""Of the film, which begins with a keyframe: two seconds."""
WIDTH, HEIGHT = 160, 90
AUDIO, VIDEO = 111, 96
T = TypeVar("T")
_HEADER = struct.Struct("!BBHII")


@functools.cache
def film() -> tuple[tuple[bytes, ...], ...]:
    """VP8 of each picture in pieces of one packet each, without payload descriptors."""
    encoder = Vp8Encoder()
    found = []
    for n in range(PICTURES):
        picture = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        luma = bytes((x * 2 + n * 8) & 0xFF for x in range(picture.planes[0].line_size))
        picture.planes[0].update(luma * HEIGHT)
        for plane in picture.planes[1:]:
            plane.update(bytes([90 + n]) * plane.buffer_size)
        picture.pts, picture.time_base = n * 9000, Fraction(1, 90_000)
        payloads, _ = encoder.encode(picture, force_keyframe=n == 0)
        found.append(tuple(VpxPayloadDescriptor.parse(payload)[1] for payload in payloads))
    return tuple(found)


@functools.cache
def tone() -> tuple[bytes, ...]:
    """A second of Opus."""
    encoder = OpusEncoder()
    found: list[bytes] = []
    for n in range(50):
        wave = (int(8000 * math.sin((n * 960 + i) * 2 * math.pi * 440 / 48_000)) for i in range(960))
        samples = array("h", (value for sample in wave for value in (sample, sample)))
        sound = AudioFrame(format="s16", layout="stereo", samples=960)
        sound.planes[0].update(samples.tobytes())
        sound.sample_rate, sound.pts, sound.time_base = 48_000, n * 960, Fraction(1, 48_000)
        found += encoder.encode(sound)[0]
    return tuple(found)


class BotRefused(Exception):
    """The server or the relay declined; the message is the code."""


@dataclass(eq=False)
class Bot:
    """One person. Times are of `time.monotonic`."""

    id: str
    socket: ClientConnection
    opened_at: float
    slots: list[dict[str, Any]] = field(default_factory=list)
    received: dict[Literal["audio", "video"], int] = field(default_factory=lambda: {"audio": 0, "video": 0})
    first_packet: "asyncio.Future[float]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    longest_gap_s: float = 0.0
    """Between two packets of sound."""
    _sound_at: float | None = None
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    _answers: dict[str, "asyncio.Future[str]"] = field(default_factory=dict)
    _links: list[Link] = field(default_factory=list)
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    @classmethod
    async def enter(cls, address: str, slug: str, name: str) -> Self:
        """As a guest does: a ticket by REST, then the socket, then `join`. `address`: host:port. Raise BotRefused."""
        async with httpx.AsyncClient(base_url=f"http://{address}/api/v1", timeout=ANSWER_WITHIN_S) as stranger:
            answer = await stranger.post(f"/rooms/{slug}/tickets/", json={"name": name})
        admission = answer.raise_for_status().json()
        socket = await connect(
            f"ws://{address}{admission['socket_path']}",
            origin=Origin(f"http://{address}"),
            max_size=None,
            compression=None,
            proxy=None,
            open_timeout=ANSWER_WITHIN_S,
        )
        made = cls(admission["participant_id"], socket, time.monotonic())
        await made._say(type="join", ticket=admission["ticket"])
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while (said := msgspec.json.decode(await socket.recv()))["type"] != "welcomed":
                if said["type"] == "refused":
                    raise BotRefused(said["code"])
        made._spawn(made._listen())
        return made

    async def send(self) -> None:
        """Be seen and heard from now on."""
        sections = [_Section("0", "audio", "sendonly"), _Section("1", "video", "sendonly")]
        link, media = await self._negotiate("send", sections, {"0": "microphone", "1": "camera"})
        numbers = [next((e.id for e in one.rtp.headerExtensions if e.uri == MID), 0) for one in media]
        self._spawn(self._perform(_Performance(link, sections, numbers)))

    async def receive(self, seats: int) -> None:
        """Take in as many people."""
        sections = [_Section(str(n), "video" if n % 2 else "audio", "recvonly") for n in range(2 * seats)]
        link, _ = await self._negotiate("receive", sections, {})
        self._spawn(self._take_in(link))

    async def news(self) -> None:
        """Until the next packet. Raise TimeoutError where none comes."""
        self._heard.clear()
        await asyncio.wait_for(self._heard.wait(), ANSWER_WITHIN_S)

    def forget_gaps(self) -> None:
        """Watch for the longest from now on."""
        self.longest_gap_s, self._sound_at = 0.0, None

    async def close(self) -> None:
        """Leave at once."""
        with contextlib.suppress(ConnectionClosed):
            await self._say(type="leave")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.socket.close()
        for link in self._links:
            link.socket.close()

    # --- socket -------------------------------------------------------------------------------------------------------
    async def _say(self, **message: Any) -> None:
        await self.socket.send(msgspec.json.encode(message).decode())

    async def _listen(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in self.socket:
                said = msgspec.json.decode(text)
                match said["type"]:
                    case "answered" if (waits := self._answers.pop(said["id"], None)) is not None:
                        waits.set_result(said["sdp"])
                    case "refused" if (waits := self._answers.pop(said["id"] or "", None)) is not None:
                        waits.set_exception(BotRefused(said["code"]))
                    case "slots-assigned":
                        self.slots = said["slots"]

    async def _negotiate(
        self, connection: str, sections: Sequence["_Section"], origins: dict[str, str]
    ) -> tuple[Link, list[MediaDescription]]:
        client = Client(ADDRESS)
        number = secrets.token_hex(8)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        sdp = _offer(await client.local(), sections)
        await self._say(type="offer", id=number, connection=connection, sdp=sdp, origins=origins)
        found = SessionDescription.parse(await asyncio.wait_for(answer, ANSWER_WITHIN_S))
        link = await client.connect(found.media[0], offered=True)
        link.socket.setblocking(False)
        self._links.append(link)
        self._spawn(_keep_alive(link))
        return link, found.media

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    # --- media --------------------------------------------------------------------------------------------------------
    async def _perform(self, performance: "_Performance") -> None:
        due = time.monotonic()
        while True:
            performance.tick()
            due += TICK_S
            await asyncio.sleep(due - time.monotonic())

    async def _take_in(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        while True:
            packet = await loop.sock_recv(link.socket, 2048)
            kind: Literal["audio", "video"] | None = {AUDIO: "audio", VIDEO: "video"}.get(packet[1] & 0x7F)  # type: ignore[assignment]
            if 128 <= packet[0] < 192 and kind is not None:
                self.received[kind] += 1
                self._heard.set()
                if kind == "audio":
                    now = time.monotonic()
                    self.longest_gap_s = max(self.longest_gap_s, now - (self._sound_at or now))
                    self._sound_at = now
                if not self.first_packet.done():
                    self.first_packet.set_result(time.monotonic())


async def _keep_alive(link: Link) -> None:
    while True:
        await asyncio.sleep(CHECK_EVERY_S)
        link.check()


# --- what is offered --------------------------------------------------------------------------------------------------
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"


@dataclass(frozen=True, slots=True)
class _Section:
    mid: str
    kind: Literal["audio", "video"]
    direction: Literal["sendonly", "recvonly"]
    ssrc: int = field(default_factory=lambda: secrets.randbelow(1 << 31) + 2)


def _offer(local: Local, sections: Sequence[_Section]) -> str:
    """RFC 8829: one transport, Opus and VP8."""
    lines = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    lines += ["a=group:BUNDLE " + " ".join(section.mid for section in sections), "a=msid-semantic: WMS *"]
    for section in sections:
        payload = AUDIO if section.kind == "audio" else VIDEO
        lines += [
            f"m={section.kind} {local.port} UDP/TLS/RTP/SAVPF {payload}",
            f"c=IN IP4 {local.address}",
            "a=rtcp:9 IN IP4 0.0.0.0",
            *(f"a=candidate:{candidate}" for candidate in local.candidates),
            "a=end-of-candidates",
            f"a=ice-ufrag:{local.ufrag}",
            f"a=ice-pwd:{local.password}",
            f"a=fingerprint:{local.fingerprint}",
            "a=setup:actpass",
            f"a=mid:{section.mid}",
            f"a=extmap:1 {MID}",
            f"a={section.direction}",
            "a=rtcp-mux",
            "a=rtcp-rsize",
        ]
        lines += ["a=rtpmap:111 opus/48000/2"] if section.kind == "audio" else ["a=rtpmap:96 VP8/90000"]
        if section.kind == "video":
            lines += ["a=rtcp-fb:96 nack pli", "a=rtcp-fb:96 ccm fir"]
        if section.direction == "sendonly":
            lines += [f"a=msid:bot {section.kind}", f"a=ssrc:{section.ssrc} cname:bot"]
    return "\r\n".join(lines) + "\r\n"


# --- what is sent -----------------------------------------------------------------------------------------------------
class _Performance:
    """One `send` connection at work."""

    def __init__(self, link: Link, sections: Sequence[_Section], mid_ids: Sequence[int]) -> None:
        self._link = link
        self._out, self._in = transmit_session(link.keys), receive_session(link.keys)
        self._audio, self._video = sections
        self._blocks = [_mid_block(number, section.mid) for number, section in zip(mid_ids, sections, strict=True)]
        self._ticks = self._place = self._picture = 0
        self._sequences = [0, 0]

    def tick(self) -> None:
        """20 ms have gone by."""
        self._hear()
        self._write(0, AUDIO, self._audio.ssrc, self._ticks * 960, tone()[self._ticks % 50], marker=False)
        if self._ticks % TICKS_A_PICTURE == 0:
            pieces = film()[self._place]
            for n, piece in enumerate(pieces):
                descriptor = bytes(
                    (0x90 if n == 0 else 0x80, 0x80, 0x80 | self._picture >> 8 & 0x7F, self._picture & 0xFF)
                )
                self._write(1, VIDEO, self._video.ssrc, self._ticks * 1800, descriptor + piece, n == len(pieces) - 1)
            self._picture = self._picture + 1 & 0x7FFF
            self._place = (self._place + 1) % PICTURES
        self._ticks += 1

    def _write(self, section: int, payload_type: int, ssrc: int, timestamp: int, payload: bytes, marker: bool) -> None:
        sequence = self._sequences[section]
        self._sequences[section] = sequence + 1 & 0xFFFF
        block = self._blocks[section]
        header = _HEADER.pack(
            0x90 if block else 0x80, payload_type | marker << 7, sequence, timestamp & 0xFFFFFFFF, ssrc
        )
        with contextlib.suppress(OSError):
            self._link.socket.sendto(self._out.protect(header + block + payload), self._link.remote)

    def _hear(self) -> None:
        """Begin the film again when a keyframe is asked for (RFC 4585 §6.3.1, RFC 5104 §4.3.1)."""
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            while True:
                packet = self._link.socket.recv(2048)
                if 128 <= packet[0] < 192 and 192 <= packet[1] <= 223:
                    with contextlib.suppress(SrtpError):
                        if any(kind == 206 and form in (1, 4) for kind, form in _rtcp(self._in.unprotect_rtcp(packet))):
                            self._place = 0


def _rtcp(compound: bytes) -> Iterator[tuple[int, int]]:
    """(packet type, format) of each packet (RFC 3550 §6.1)."""
    at = 0
    while at + 4 <= len(compound):
        yield compound[at + 1], compound[at] & 31
        at += 4 + 4 * int.from_bytes(compound[at + 2 : at + 4], "big")


def _mid_block(number: int, mid: str) -> bytes:
    """RFC 8285 §4.2."""
    if not number:
        return b""
    element = bytes((number << 4 | len(mid) - 1,)) + mid.encode()
    return struct.pack("!HH", 0xBEDE, -(-len(element) // 4)) + element.ljust(-(-len(element) // 4) * 4, b"\0")


class Crowd:
    """Bots beside a browser's test, on a thread of their own until the end of `with`."""

    def __init__(self, address: str, slug: str) -> None:
        self._address, self._slug = address, slug
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bots", daemon=True)
        self.bots: list[Bot] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for bot in self.bots:
            self._run(bot.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def add(self, name: str) -> Bot:
        """One more who is seen and heard."""

        async def come() -> Bot:
            bot = await Bot.enter(self._address, self._slug, name)
            self.bots.append(bot)
            await bot.send()
            return bot

        return self._run(come())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

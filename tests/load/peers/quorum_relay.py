"""Our relay as a server under measurement."""

import asyncio
import secrets
import subprocess
import sys
from asyncio.subprocess import PIPE
from typing import Any

import msgspec
from aiortc.sdp import SessionDescription

from media import control
from tests.load.peers.client import Client
from tests.load.peers.processes import pinned
from tests.load.peers.sdp import MID, TRANSPORT_CC, Section, extension_id, payload_types, write_description
from tests.load.peers.server import Publishing, Viewing

ANSWER_WITHIN_S = 10.0
MEETING = "load"
EPOCH = 1

_report: msgspec.json.Decoder[control.Report] = msgspec.json.Decoder(control.Report)


class RelayRefused(Exception):
    """The relay declined an offer; the message has its code."""


class QuorumRelay:
    """One process with one meeting of `people` participants."""

    name = "twin"

    def __init__(self, address: str) -> None:
        self._address = address
        self._answers: dict[str, asyncio.Future[str]] = {}
        self._figures: asyncio.Queue[dict[str, int]] = asyncio.Queue()
        self._expected: dict[str, int] = {}
        self._seated: dict[str, int] = {}
        self._news = asyncio.Event()

    async def start(self, core: set[int], people: int) -> None:
        """Start it on these cores, with a plan that lets everybody in."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.load.peers.relay_process",
            self._address,
            stdin=PIPE,
            stdout=PIPE,
            limit=1 << 20,
            preexec_fn=pinned(core),
        )
        self.pid = self._process.pid
        assert self._process.stdout is not None
        first = await asyncio.wait_for(self._process.stdout.readline(), ANSWER_WITHIN_S)
        self.port = int(msgspec.json.decode(first)["port"])
        self._listening = asyncio.create_task(self._listen())
        present = tuple(control.PlannedParticipant(f"person-{n}") for n in range(people))
        self._say(control.Plan(MEETING, EPOCH, present))

    async def publish(self, person: int) -> Publishing:
        """One camera, in a `send` connection."""
        client = Client(self._address)
        ssrc = secrets.randbelow(1 << 31) + 2
        offered = Section("0", "sendonly", ssrc=ssrc)
        sdp = write_description(await client.local(), [offered], "actpass")
        answer = await self._negotiate(person, "send", sdp, {"0": "camera"})
        link = await client.connect(answer.media[0], offered=True)
        media = answer.media[0]
        return Publishing(
            link, ssrc, payload_types(media)[0], "0", extension_id(media, MID), extension_id(media, TRANSPORT_CC)
        )

    async def view(self, person: int, count: int) -> Viewing:
        """As many slots as there are publishers to see, in a `receive` connection."""
        client = Client(self._address)
        slots = [Section(str(n), "recvonly") for n in range(count)]
        sdp = write_description(await client.local(), slots, "actpass")
        self._expected[f"person-{person}"] = count
        answer = await self._negotiate(person, "receive", sdp, {})
        link = await client.connect(answer.media[0], offered=True)
        return Viewing(
            link,
            tuple({payload_types(media)[0] for media in answer.media}),
            tuple(description.ssrc for media in answer.media for description in media.ssrc),
        )

    async def settled(self) -> None:
        """Until everybody's slots are taken."""
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while any(self._seated.get(name, 0) < count for name, count in self._expected.items()):
                self._news.clear()
                await self._news.wait()

    async def figures(self) -> dict[str, Any]:
        """The relay's own totals."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"figures\n")
        return dict(await asyncio.wait_for(self._figures.get(), ANSWER_WITHIN_S))

    async def stop(self) -> None:
        """End its input, and wait."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), ANSWER_WITHIN_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._listening
        if self._process.returncode:
            raise subprocess.CalledProcessError(self._process.returncode, "relay_process")

    async def _negotiate(
        self, person: int, connection: control.Connection, sdp: str, origins: dict[str, control.Origin]
    ) -> SessionDescription:
        correlation = secrets.token_hex(8)
        answer = self._answers[correlation] = asyncio.get_running_loop().create_future()
        self._say(
            control.Negotiate(
                control.VERSION, correlation, MEETING, EPOCH, f"person-{person}", connection, sdp, origins
            )
        )
        return SessionDescription.parse(await asyncio.wait_for(answer, ANSWER_WITHIN_S))

    def _say(self, command: control.Command) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(command) + b"\n")

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if line.startswith(b'{"figures"'):
                self._figures.put_nowait(msgspec.json.decode(line)["figures"])
                continue
            match _report.decode(line):
                case control.Negotiated(correlation=correlation, sdp=sdp):
                    self._answers.pop(correlation).set_result(sdp)
                case control.Declined(correlation=correlation, code=code, detail=detail):
                    self._answers.pop(correlation).set_exception(RelayRefused(f"{code}: {detail}"))
                case control.SlotsAssigned(participant_id=name, assignments=assignments):
                    self._seated[name] = len(assignments)
                    self._news.set()
                case _:
                    pass

"""`manage.py bench control`: from a REST call that mutes somebody to the line that every browser of the meeting hears.

A whole Quorum of its own (`manage.py run` on a new state folder), one meeting, SOCKETS people with a WebSocket each.
A host's API key mutes one after another; the clock runs from before the request is written until the `muted` line is
read from each socket. In between each unmutes themselves by their own socket, for nobody else may. All clients share
the machine with the server, and their cost is in the figure.
"""

import asyncio
import logging
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from config.environment import ROOT
from tests.load.peers.shapes import percentile
from tests.system.installation import Installation

SOCKETS = 50
WARM_UP = 5
ROUNDS = 2
"""Times that everybody is muted."""
HEARD_WITHIN_S = 10.0


def run() -> dict[str, Any]:
    """`mute_to_event_ms` over every mute and every socket."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of each request
    with tempfile.TemporaryDirectory(prefix="quorum-control-") as folder:
        installation = Installation(Path(folder))
        try:
            installation.until_ready()
            return result_of(asyncio.run(_measure(installation)))
        finally:
            installation.process.send_signal(signal.SIGINT)
            try:
                installation.process.wait(30)
            finally:
                installation.close()


@dataclass(frozen=True, slots=True)
class Mute:
    """One mute: how long its answer took, and how long until each socket had the line."""

    answered_ms: float
    heard_ms: tuple[float, ...]


def result_of(mutes: list[Mute]) -> dict[str, Any]:
    """In the shape of the contract."""
    every = [heard for mute in mutes for heard in mute.heard_ms]
    figures = {f"p{share}": round(percentile(every, share / 100), 2) for share in (50, 95)}
    samples = {
        "sockets": len(mutes[0].heard_ms),
        "answered_ms": [round(mute.answered_ms, 2) for mute in mutes],
        "first_heard_ms": [round(min(mute.heard_ms), 2) for mute in mutes],
        "last_heard_ms": [round(max(mute.heard_ms), 2) for mute in mutes],
    }
    return {"runs": len(mutes), "figures": {"mute_to_event_ms": figures}, "samples": samples}


@dataclass(eq=False)
class _Person:
    """One socket; when it heard of whose mutes."""

    id: str
    socket: ClientConnection
    heard: dict[tuple[str, bool], "asyncio.Future[float]"] = field(default_factory=dict)

    def await_line(self, of: str, muted: bool) -> "asyncio.Future[float]":
        """The time of the next such line."""
        awaited = self.heard[of, muted] = asyncio.get_running_loop().create_future()
        return awaited

    async def listen(self) -> None:
        """Until the socket ends."""
        async for text in self.socket:
            now = time.perf_counter()
            line = msgspec.json.decode(text)
            if line["type"] == "muted":
                awaited = self.heard.pop((line["participantId"], line["muted"]), None)
                if awaited is not None:
                    awaited.set_result(now)

    async def unmute_oneself(self) -> None:
        """Nobody else may."""
        said = {"type": "mute", "participantId": self.id, "muted": False}
        await self.socket.send(msgspec.json.encode(said).decode())


async def _measure(installation: Installation) -> list[Mute]:
    address = f"127.0.0.1:{installation.port}"
    key = await asyncio.to_thread(_api_key, installation)
    host = httpx.AsyncClient(base_url=f"http://{address}/api/v1", headers={"Authorization": f"Bearer {key}"})
    async with host:
        slug = f"bench-{secrets.token_hex(4)}"
        room = {"slug": slug, "title": "Bench", "capacity": SOCKETS + 10}
        await _post(host, "/rooms/", room)
        meeting = (await _post(host, f"/rooms/{slug}/meetings/"))["id"]
        people = [await _enter(address, slug, number) for number in range(SOCKETS)]
        listening = [asyncio.create_task(person.listen()) for person in people]
        try:
            await _mute_each(host, meeting, people, people[:WARM_UP])
            return [mute for _ in range(ROUNDS) for mute in await _mute_each(host, meeting, people, people)]
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*(person.socket.close() for person in people), return_exceptions=True)


def _api_key(installation: Installation) -> str:
    command = [sys.executable, str(ROOT / "manage.py"), "api_key", "bench"]
    scopes = ["--scope", "rooms:write", "--scope", "meetings:write"]
    done = subprocess.run([*command, *scopes], env=installation.environ, capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


async def _enter(address: str, slug: str, number: int) -> _Person:
    """As a guest does: a ticket by REST, then the socket, then `join`."""
    async with httpx.AsyncClient(base_url=f"http://{address}/api/v1") as stranger:
        admission = await _post(stranger, f"/rooms/{slug}/tickets/", {"name": f"Guest {number}"})
    socket = await connect(
        f"ws://{address}{admission['socket_path']}",
        origin=Origin(f"http://{address}"),
        max_size=None,
        compression=None,
        proxy=None,
    )
    await socket.send(msgspec.json.encode({"type": "join", "ticket": admission["ticket"]}).decode())
    async with asyncio.timeout(HEARD_WITHIN_S):
        while (said := msgspec.json.decode(await socket.recv()))["type"] != "welcomed":
            if said["type"] == "refused":
                raise ConnectionRefusedError(said["code"])
    return _Person(admission["participant_id"], socket)


async def _mute_each(host: httpx.AsyncClient, meeting: str, people: list[_Person], whom: list[_Person]) -> list[Mute]:
    found = []
    for target in whom:
        awaited = [person.await_line(target.id, True) for person in people]
        begun = time.perf_counter()
        await _post(host, f"/meetings/{meeting}/participants/{target.id}/mute/")
        answered = time.perf_counter()
        async with asyncio.timeout(HEARD_WITHIN_S):
            heard = await asyncio.gather(*awaited)
        found.append(Mute((answered - begun) * 1000, tuple((at - begun) * 1000 for at in heard)))
        back = [person.await_line(target.id, False) for person in people]
        await target.unmute_oneself()
        async with asyncio.timeout(HEARD_WITHIN_S):
            await asyncio.gather(*back)
    return found

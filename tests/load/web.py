"""`manage.py bench web`: what one web process carries.

`rest`: lists and details, asked over kept connections. `requests_per_core_s` is requests by the CPU time of the web
process; `ratio_to_bare` is that of the same rows through a bare view of Django REST framework (its own generic view,
no sign-in, no filters, no middleware) in a second process of the same server, in turns with ours.

`socket`: SOCKETS joined and idle WebSockets on one process. `kb_per_socket` is the growth of its memory (PSS) by
socket; `broadcast_p95_ms` is from before somebody says a line until a socket of that meeting has it. Measured at
a quarter, a half and all of them, so that the law by which both grow is seen (`samples`).
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from config.environment import ROOT
from tests.load.callers import installed
from tests.load.peers.processes import pss_mb
from tests.load.peers.shapes import percentile
from tests.system.operated import Operated

MEETINGS = 20
PEOPLE = 100
SOCKETS = MEETINGS * PEOPLE
BROADCASTS = 20
"""At each size, in turn over the meetings."""
JOINING = 20
"""So many join at a time."""
WITHIN_S = 30.0
QUIET_S = 3.0


def run(meetings: int = MEETINGS, people: int = PEOPLE) -> dict[str, Any]:
    """`web.socket`."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        with installed(QUORUM_WEB_PROCESSES="1") as site:
            sizes = asyncio.run(_sockets(site, meetings, people))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    return result_of(sizes)


@dataclass(frozen=True, slots=True)
class Size:
    """With so many sockets: memory of the web process, and how long lines took to reach each socket of a meeting."""

    sockets: int
    memory_mb: float
    reached_ms: tuple[float, ...]


def result_of(sizes: list[Size]) -> dict[str, Any]:
    """In the shape of the contract. The first size is that of no sockets."""
    empty, *rest = sizes
    full = rest[-1]
    law = [
        {
            "sockets": size.sockets,
            "memory_mb": round(size.memory_mb, 1),
            "kb_per_socket": round(1024 * (size.memory_mb - empty.memory_mb) / size.sockets, 1),
            **{f"broadcast_p{n}_ms": round(percentile(list(size.reached_ms), n / 100), 1) for n in (50, 95)},
        }
        for size in rest
    ]
    figures = {name: law[-1][name] for name in ("kb_per_socket", "broadcast_p95_ms")}
    samples = {"law": law, "empty_mb": round(empty.memory_mb, 1)}
    return {"runs": len(full.reached_ms), "figures": {"web": {"socket": figures}}, "samples": samples}


@dataclass(eq=False)
class _Idle:
    """One socket that only listens; `heard` maps what it waits for to the time at which it came."""

    meeting_id: str
    socket: ClientConnection
    awaited: dict[str, "asyncio.Future[float]"] = field(default_factory=dict)

    async def listen(self) -> None:
        """Until the socket ends."""
        async for text in self.socket:
            if self.awaited and '"type":"said"' in text:
                now = time.perf_counter()
                for word in [word for word in self.awaited if word in text]:
                    self.awaited.pop(word).set_result(now)


async def _sockets(site: Operated, meetings: int, people: int) -> list[Size]:
    web = site.child("web")
    crowd = await asyncio.to_thread(_crowd, site, meetings, people)
    await asyncio.sleep(QUIET_S)
    sizes = [Size(0, pss_mb(web), ())]
    idle: list[_Idle] = []
    listening: list[asyncio.Task[None]] = []
    gate = asyncio.Semaphore(JOINING)

    async def join(meeting_id: str, ticket: str) -> None:
        async with gate:
            one = await _join(site, meeting_id, ticket)
        idle.append(one)
        listening.append(asyncio.create_task(one.listen()))

    try:
        for quarter in (range(meetings // 4), range(meetings // 4, meetings // 2), range(meetings // 2, meetings)):
            await asyncio.gather(*(join(crowd[n]["meeting_id"], t) for n in quarter for t in crowd[n]["tickets"]))
            await asyncio.sleep(QUIET_S)
            reached = [ms for n in range(BROADCASTS) for ms in await _broadcast(idle, crowd[n % quarter.stop], n)]
            sizes.append(Size(len(idle), pss_mb(web), tuple(reached)))
    finally:
        for task in listening:
            task.cancel()
        for one in idle:
            one.socket.transport.abort()
    return sizes


async def _broadcast(idle: list[_Idle], meeting: dict[str, Any], number: int) -> list[float]:
    """Somebody says something; when each of that meeting heard it, in milliseconds."""
    there = [one for one in idle if one.meeting_id == meeting["meeting_id"]]
    word = f"broadcast-{len(idle)}-{number}."
    loop = asyncio.get_running_loop()
    waiting = [one.awaited.setdefault(word, loop.create_future()) for one in there]
    begun = time.perf_counter()
    await there[0].socket.send(json.dumps({"type": "say", "id": word, "text": word}))
    async with asyncio.timeout(WITHIN_S):
        return [(at - begun) * 1000 for at in await asyncio.gather(*waiting)]


async def _join(site: Operated, meeting_id: str, ticket: str) -> _Idle:
    socket = await connect(
        f"ws://127.0.0.1:{site.port}/ws/meetings/{meeting_id}/",
        origin=Origin(site.url),
        max_size=None,
        compression=None,
        proxy=None,
        ping_interval=None,
        open_timeout=WITHIN_S,
    )
    await socket.send(json.dumps({"type": "join", "ticket": ticket}))
    async with asyncio.timeout(WITHIN_S):
        while '"type":"welcomed"' not in (said := str(await socket.recv())):
            if '"type":"refused"' in said:
                raise ConnectionRefusedError(said)
    return _Idle(meeting_id, socket)


def _crowd(site: Operated, meetings: int, people: int) -> list[dict[str, Any]]:
    made = subprocess.run(
        [sys.executable, "-m", "tests.load.crowd", str(meetings), str(people)],
        env=site.environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in made.stdout.splitlines() if line.startswith("{")]

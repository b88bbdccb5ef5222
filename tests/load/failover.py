"""`manage.py bench failover`: how long two people neither hear nor see each other when what carries their call goes.

Two real Chromium pages (small pictures) in a meeting of a whole Quorum with two media workers. RUNS times a case; a
gap is the longest time between two pieces of sound, or two pictures, that a page played, from before the deed until
two seconds after everything plays again, the worse page counted. Nobody touches the pages: their own count of clicks
is read.

    cold         kill -9 of the relay (the pool process), another worker stands by
    silent       SIGSTOP of the whole media worker: it says nothing and closes nothing; then it comes back (SIGCONT)
    drain        the worker that carries the meeting is emptied
    parent       kill -9 of the whole media worker, another stands by
    one_worker   kill -9 of the relay where there is no other: it is started again
    web          kill -9 of the web process that holds the sockets, another stands by; `signaling` is the longest time
                 that a page was without one

`hostile` is a flood at the media port of a call: see `tests.load.hostile`.
"""

import asyncio
import contextlib
import itertools
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from tests.load import hostile
from tests.load.callers import Caller, call, chromium, installed
from tests.load.peers.shapes import percentile
from tests.system.browser import until
from tests.system.carriers import Carriers, Node
from tests.system.operated import Operated

RUNS = 10
AFTER_S = 2.0
"""A call that is back is watched for this long."""
BACK_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Gap:
    """What one deed cost the worse of the two. `signaling_s`: without a socket, where sockets are what was killed."""

    audio_s: float
    video_s: float
    clicks: int
    signaling_s: float | None = None


Deed = Callable[[Operated, Carriers, Node], Callable[[], None] | None]
"""Does it; gives what is to be done once the call is back."""


def kill_relay(_: Operated, __: Carriers, node: Node) -> None:
    """Only the process that holds the connections."""
    os.kill(node.pid, signal.SIGKILL)


def kill_worker(_: Operated, carriers: Carriers, node: Node) -> None:
    """Parent and pool process together."""
    for pid in carriers.group(node):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def stop_worker(_: Operated, carriers: Carriers, node: Node) -> Callable[[], None]:
    """It lives, but nothing of it runs."""
    stopped = carriers.group(node)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)

    def wake() -> None:
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    return wake


def drain(site: Operated, _: Carriers, node: Node) -> Callable[[], None]:
    """It hands its meeting over and carries nothing new, until it may again."""
    site.post(f"/api/v1/nodes/{node.name}/drain/")

    def take_back() -> None:
        site.post(f"/api/v1/nodes/{node.name}/undrain/")

    return take_back


WEB = ("web", "web-1")
"""The two web processes. Who loses one is with the other afterwards."""


CASES: dict[str, tuple[int, Deed]] = {
    "cold": (2, kill_relay),
    "silent": (2, stop_worker),
    "drain": (2, drain),
    "parent": (2, kill_worker),
    "one_worker": (1, kill_relay),
}
"""Name → media workers, deed."""


def run(cases: dict[str, tuple[int, Deed]] = CASES, runs: int = RUNS) -> dict[str, Any]:
    """`gap_s` by case, and `clicks` over all."""
    found: dict[str, list[Gap]] = {}
    with chromium() as browser:
        for workers in sorted({workers for workers, _ in cases.values()}):
            with installed(QUORUM_MEDIA_WORKERS=str(workers)) as site, call(site, browser) as people:
                carriers = Carriers(site)
                try:
                    for name, (needed, deed) in cases.items():
                        if needed == workers:
                            found[name] = [measure(site, carriers, people, workers, deed) for _ in range(runs)]
                    if workers > 1:
                        found["web"] = kill_webs(site, people, runs)
                finally:
                    carriers.close()
    result = result_of(found)
    with installed() as site, contextlib.closing(Carriers(site)) as carriers:
        flooded = asyncio.run(hostile.measure(site, carriers))
    result["figures"]["hostile"] = {name: flooded[name] for name in ("gap_ms", "core_percent")}
    result["samples"]["hostile"] = flooded
    return result


def measure(site: Operated, carriers: Carriers, people: tuple[Caller, Caller], workers: int, deed: Deed) -> Gap:
    """Do it once, and wait until the call is back on another epoch."""
    node = carriers.settled(workers)
    until(lambda: all(person.metered()["playing"] for person in people), "both play before")
    epoch = people[0].state()["epoch"]
    for person in people:
        person.reset()
    after = deed(site, carriers, node)
    until(lambda: all(_epoch(person) > epoch for person in people), "both follow", BACK_WITHIN_S)
    until(lambda: all(person.metered()["playing"] for person in people), "both play after", BACK_WITHIN_S)
    time.sleep(AFTER_S)
    # Whatever stutters now is in the gaps that are read below.
    until(lambda: all(person.metered()["playing"] for person in people), "both still play", BACK_WITHIN_S)
    read = [person.metered() for person in people]
    if after is not None:
        after()
    return Gap(max(r["audio"] for r in read), max(r["video"] for r in read), sum(r["clicks"] for r in read))


def kill_webs(site: Operated, people: tuple[Caller, Caller], runs: int) -> list[Gap]:
    """Kill one web process after the other; only deeds that took a socket from somebody count."""
    found: list[Gap] = []
    for victim in itertools.islice(itertools.cycle(WEB), 4 * runs):
        site.until_ready()
        until(lambda: set(WEB) <= set(site.processes().values()), "both web processes run")
        until(lambda: all(map(_whole, people)), "everybody is linked")
        for person in people:
            person.reset()
        os.kill(site.child(victim), signal.SIGKILL)
        time.sleep(AFTER_S)
        until(lambda: not any(person.metered()["lost"] for person in people), "linked after", BACK_WITHIN_S)
        read = [person.metered() for person in people]
        without = max(r["unlinked"] for r in read)
        if without:
            worst = (max(r["audio"] for r in read), max(r["video"] for r in read), sum(r["clicks"] for r in read))
            found.append(Gap(*worst, without))
        if len(found) == runs:
            break
    return found


def _whole(person: Caller) -> bool:
    """Playing, and with a socket."""
    read = person.metered()
    return bool(read["playing"] and not read["lost"])


def _epoch(person: Caller) -> int:
    """Of the relay that a page hears."""
    return int((person.stats() or {}).get("receiveEpoch") or 0)


def result_of(found: dict[str, list[Gap]]) -> dict[str, Any]:
    """In the shape of the contract."""

    def three(values: list[float]) -> dict[str, float]:
        return {
            "p50": round(percentile(values, 0.5), 3),
            "p95": round(percentile(values, 0.95), 3),
            "max": round(max(values), 3),
        }

    figures: dict[str, Any] = {
        "gap_s": {
            name: {
                "audio": three([g.audio_s for g in gaps]),
                "video": three([g.video_s for g in gaps]),
                **({"signaling": three(without)} if (without := _without(gaps)) else {}),
            }
            for name, gaps in found.items()
        },
        "clicks": sum(gap.clicks for gaps in found.values() for gap in gaps),
    }
    samples = {
        name: [{key: round(value, 3) for key, value in asdict(g).items() if value is not None} for g in gaps]
        for name, gaps in found.items()
    }
    return {"runs": min(map(len, found.values())), "figures": figures, "samples": samples}


def _without(gaps: list[Gap]) -> list[float]:
    return [gap.signaling_s for gap in gaps if gap.signaling_s is not None]

"""`manage.py bench relay`: our relay and, where it is installed, Janus under the same load, in one run.

Each server is a process of its own, alone on the last core; the load has the others. Everything happens in a network
namespace that ends with the benchmark, or, where none may be made, on 127.0.0.1 and then without Janus, which takes
no loopback address. Runs of the two servers alternate, so that whatever else this machine does meets both.
"""

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from tests.load.peers.floors import floors_us
from tests.load.peers.janus import Janus, janus_binary
from tests.load.peers.load import Load, gather_crowd
from tests.load.peers.processes import ADDRESS, cores, go_first, in_own_network, pss_mb
from tests.load.peers.quorum_relay import QuorumRelay
from tests.load.peers.server import Server
from tests.load.peers.shapes import BURSTS, LECTURE, MEETING, Crowd, Run, figures_of, percentile, samples_of

RUNS = 5
RUN_S = 5.0
WARM_UP_S = 2.0
LOOPBACK = "127.0.0.1"
DELAY_SHAPE = "10x10_even"
"""Where `delay_ms` is taken: a usual meeting."""


def run() -> dict[str, Any]:
    """Measure, and give figures, runs and samples. Raise subprocess.CalledProcessError."""
    own = in_own_network("tests.load.relay", [ADDRESS])
    command = own or [sys.executable, "-m", "tests.load.relay", LOOPBACK]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


class Bench:
    """Everything that is measured, as it comes in."""

    def __init__(self, address: str, runs: int, seconds: float) -> None:
        self._address, self._runs, self._seconds = address, runs, seconds
        self._core = cores()[1]
        self._with_janus = address != LOOPBACK and janus_binary() is not None
        self.runs: dict[tuple[str, str], list[Run]] = {}
        self.delays_ms: dict[tuple[str, str], list[float]] = {}
        self.heard: list[dict[str, Any]] = []
        self.memory_mb: dict[str, float] = {}

    async def measure(self, crowd: Crowd) -> None:
        """Both servers with one crowd each, at both paces."""
        async with contextlib.AsyncExitStack() as stack:
            loads = [await self._gather(stack, server, crowd) for server in await self._servers(stack, crowd)]
            for pace in BURSTS:
                shape = f"{crowd.name}_{pace}"
                for load in loads:
                    await load.run(pace, WARM_UP_S, lead_s=0.0)
                for _ in range(self._runs):
                    for load in loads:
                        await self._run(load, shape, pace)
            for load in loads:
                self.memory_mb[f"{load.server.name}_{crowd.name}"] = pss_mb(load.server.pid)
                self.heard.append({"server": load.server.name, "crowd": crowd.name, **await load.server.figures()})

    async def _servers(self, stack: contextlib.AsyncExitStack, crowd: Crowd) -> list[Server]:
        relay = QuorumRelay(self._address)
        await relay.start(self._core, crowd.publishers + crowd.watchers)
        stack.push_async_callback(relay.stop)
        self.memory_mb[f"twin_{crowd.name}_idle"] = pss_mb(relay.pid)
        if not self._with_janus:
            return [relay]
        janus = Janus(self._address)
        await janus.start(self._core)
        stack.push_async_callback(janus.stop)
        self.memory_mb[f"janus_{crowd.name}_idle"] = pss_mb(janus.pid)
        return [relay, janus]

    async def _gather(self, stack: contextlib.AsyncExitStack, server: Server, crowd: Crowd) -> Load:
        load = await gather_crowd(server, crowd)
        stack.push_async_callback(load.close)
        return load

    async def _run(self, load: Load, shape: str, pace: str) -> None:
        name = load.server.name
        run, sample, heard = await load.run(pace, self._seconds)
        if sample.wrong or not sample.opened:
            raise AssertionError(f"{name} {shape}: {sample.wrong} packets were not what was sent, {sample.opened} were")
        self.runs.setdefault((name, shape), []).append(run)
        self.delays_ms.setdefault((name, shape), []).extend(sample.delays_ms)
        self.heard.append({"server": name, "shape": shape, "gaps": sample.gaps, **_as_dict(heard)})
        print(f"{name} {shape}: {run.us_per_forward:.2f} us, {run.delivered_share:.5f}", file=sys.stderr, flush=True)

    def result(self, floors: dict[str, float]) -> dict[str, Any]:
        """In the shape of the contract."""
        figures = figures_of(self.runs)
        figures["floor_us"] = floors
        ours = self.delays_ms.get(("twin", DELAY_SHAPE))
        if ours:
            figures["delay_ms"] = {f"p{share}": percentile(ours, share / 100) for share in (50, 99)}
        idle = self.memory_mb.get("twin_10x10_idle")
        if idle is not None:
            figures["memory_mb"] = {"meeting_of_10": round(self.memory_mb["twin_10x10"] - idle, 1)}
        delays = {
            f"{server}.{shape}": {f"p{share}": percentile(values, share / 100) for share in (50, 95, 99)}
            | {"mean": round(statistics.fmean(values), 4), "packets": len(values)}
            for (server, shape), values in self.delays_ms.items()
        }
        samples = {"runs": samples_of(self.runs), "delays_ms": delays, "servers": self.heard, "pss_mb": self.memory_mb}
        return {"runs": self._runs, "figures": figures, "samples": samples}


def _as_dict(heard: Any) -> dict[str, Any]:
    return {name: getattr(heard, name) for name in heard.__struct_fields__}


async def measure(address: str, crowds: Sequence[Crowd] = (LECTURE, MEETING), seconds: float = RUN_S) -> dict[str, Any]:
    """Everything, at this address."""
    os.sched_setaffinity(0, cores()[0])
    go_first()
    bench = Bench(address, RUNS, seconds)
    for crowd in crowds:
        await bench.measure(crowd)
    return bench.result(floors_us(address))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1]))))

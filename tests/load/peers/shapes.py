"""The shapes of the relay's load, and the arithmetic of its figures. Pure."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PACKETS_PER_SECOND = 125
"""Of one publisher: 1.2 Mbit/s in packets of 1,200 bytes, a usual camera."""
PACKETS_PER_FRAME = 5
"""So 25 frames a second."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who is there: publishers see each other, watchers see every publisher and send nothing."""

    name: str
    publishers: int
    watchers: int = 0

    @property
    def viewers(self) -> tuple[int, ...]:
        """How many publishers each viewer sees: first the publishers themselves (none, if alone), then the watchers."""
        others = self.publishers - 1
        return ((others,) * self.publishers if others else ()) + (self.publishers,) * self.watchers

    @property
    def fan(self) -> int:
        """How often a publisher's packet is forwarded."""
        return self.publishers - 1 + self.watchers

    @property
    def forwards_per_second(self) -> int:
        """Packets that leave the server."""
        return self.publishers * PACKETS_PER_SECOND * self.fan


LECTURE = Crowd("1x50", publishers=1, watchers=50)
MEETING = Crowd("10x10", publishers=10)

BURSTS = {"even": 1, "bursty": PACKETS_PER_FRAME}
"""Packets sent back to back, for each pace; Chromium's pacer lies between the two."""


def burst_interval_s(burst: int) -> float:
    """Time from one burst to the next."""
    return burst / PACKETS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of one server saw. `cpu_ns`, `forwarded` and `wall_s` are of the measured window; the rest is of the
    whole run, to its last packet."""

    cpu_ns: int
    forwarded: int
    wall_s: float
    sent: int
    received: int
    fan: int
    dropped: int = 0
    """Packets that came too fast for the load's own sockets: a run with any says nothing about the server."""

    @property
    def us_per_forward(self) -> float:
        """The server's CPU, all threads, for each packet that reached a viewer."""
        return self.cpu_ns / 1000 / self.forwarded if self.forwarded else math.inf

    @property
    def delivered_share(self) -> float:
        """Of the packets that should have reached viewers."""
        return self.received / (self.sent * self.fan) if self.sent else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all values do not exceed. Raise ValueError without any."""
    if not values:
        raise ValueError("a percentile of nothing")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def figures_of(runs: Mapping[tuple[str, str], Iterable[Run]]) -> dict[str, Any]:
    """(server, shape) → its runs, as the figures `us_per_forward` and `delivered_share`: medians of the runs."""
    found: dict[str, Any] = {"us_per_forward": {}, "delivered_share": {}}
    for (server, shape), several in runs.items():
        kept = list(several)
        if not kept:
            continue
        cost = statistics.median(run.us_per_forward for run in kept)
        share = statistics.median(run.delivered_share for run in kept)
        found["us_per_forward"].setdefault(server, {})[shape] = round(cost, 3)
        found["delivered_share"].setdefault(server, {})[shape] = round(share, 6)
    return found


def samples_of(runs: Mapping[tuple[str, str], Iterable[Run]]) -> dict[str, Any]:
    """Every run, unrounded in what matters."""
    found: dict[str, Any] = {}
    for (server, shape), several in runs.items():
        found.setdefault(server, {})[shape] = [
            {
                "us_per_forward": round(run.us_per_forward, 3),
                "delivered_share": round(run.delivered_share, 6),
                "cpu_share": round(run.cpu_ns / 1e9 / run.wall_s, 4),
                "sent": run.sent,
                "received": run.received,
                "dropped_by_load": run.dropped,
            }
            for run in several
        ]
    return found

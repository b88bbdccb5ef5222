"""A relay's figures, for metrics and benchmarks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Now:
    """What a relay carries at this moment."""

    meetings: int = 0
    connections: int = 0


@dataclass(frozen=True, slots=True)
class Counters:
    """What a kernel has done with one table, since its beginning."""

    packets_in: int = 0
    packets_out: int = 0
    octets_out: int = 0
    resent: int = 0
    resend_missed: int = 0
    repaired: int = 0
    late: int = 0
    gated: int = 0
    probes: int = 0
    malformed: int = 0
    send_failed: int = 0


@dataclass(frozen=True, slots=True)
class Total(Counters):
    """What a relay has done since its start: its tables together, and what they know nothing of."""

    nacks_sent: int = 0
    keyframes_asked: int = 0
    offers: int = 0
    declined: int = 0
    strangers: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """Both."""

    now: Now
    total: Total

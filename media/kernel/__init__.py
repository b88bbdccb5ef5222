"""The hot loop: a table of streams, and what executes it per packet. This is its door.

`Kernel` is what every executor offers. `twin` is the one in plain Python: the reference that a native one is tested
against, and the fallback where nothing was compiled.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from media.kernel.table import Change, Counters, Facts, SinkFacts
from media.kernel.twin import Twin


class Egress(Protocol):
    """Where a peer's packets leave. `address` may change between two packets (migration)."""

    ready: bool
    address: Any

    def protect(self, packet: bytes) -> bytes:
        """SRTP (RFC 3711)."""

    def sendto(self, packet: bytes, address: Any) -> Any:
        """Raise OSError when it could not be sent now."""


class Kernel(Protocol):
    """Executes one meeting's table."""

    @property
    def counters(self) -> Counters:
        """Of the whole table, since its beginning."""

    def attach(self, peer: int, egress: Egress) -> None:
        """A peer's way out; sinks of it stay silent until `egress.ready`."""

    def detach(self, peer: int) -> None:
        """Forget a peer with all its sources and sinks."""

    def apply(self, changes: Iterable[Change]) -> None:
        """Change the table."""

    def receive(self, peer: int, packet: bytes, now_us: int) -> None:
        """Execute one unprotected RTP packet."""

    def facts(self) -> Facts:
        """Everything since the last time of asking."""

    def sinks(self) -> tuple[SinkFacts, ...]:
        """Every sink that has a current source."""


def make_kernel() -> Kernel:
    """The fastest executor that this machine has."""
    return Twin()


__all__ = ["Egress", "Kernel", "make_kernel"]

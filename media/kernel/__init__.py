"""The hot loop: a table of streams, and what executes it per packet. This is its door.

`Kernel` is what every executor offers. `twin` is the one in plain Python: the reference that a native one is tested
against, and the fallback where nothing was compiled.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from media.figures import Counters
from media.kernel.streams import Egress
from media.kernel.table import Change, Facts, SinkFacts, UnknownStream
from media.kernel.twin import Twin


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


def make_kernel(meet: Callable[[UnknownStream], None], lost: Callable[[int, range, int], None]) -> Kernel:
    """The fastest executor that this machine has.

    `meet` hears of an unknown stream at once, within its first packet: if the table claims it then, nothing is lost.
    `lost` hears of a gap in a source of sound at once, within the packet that shows it.
    """
    return Twin(meet, lost)


__all__ = ["Egress", "Kernel", "make_kernel"]

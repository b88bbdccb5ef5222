"""What viewers on a bad network are given before they ask, and once more when they have asked.

Theory of operation. A viewer's receiver reports tell how much is lost on the way to it. While that is a lot, sound is
sent twice, each packet again at the next tick (SRTP drops what comes a second time, so nobody need agree on it), and so
is every picture's packet that came late to us already: of ten lost packets in a hundred one is left. Answers to NACK
are repeated at the next tick for the same reason: Chromium asks again only each 100 ms where it knows no round trip.
Sent at once, a burst of loss would take both; a tick later it is mostly over. Who loses nothing is sent nothing twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from media.kernel.table import Change, Kind, Repeat, Resend

LOSSY: Final = 10
"""Of 256 packets (RFC 3550 §6.4.1): 4 %, what a receiver's own concealment hides well enough."""
LOST_TWICE: Final = 1
"""The same for sound that is already sent twice: 4 % lost twice are 0.16 %, less than a report can say."""
CALM_US: Final = 10_000_000
"""So long after its last bad report a viewer counts as lossy: ten reports, or two where there is sound alone."""


@dataclass(slots=True)
class Repairs:
    """Of one `receive` connection."""

    _lossy_until_us: int = 0
    _answers: list[Resend] = field(default_factory=list)

    def lossy(self, now_us: int) -> bool:
        """Whether much is being lost on the way there."""
        return now_us < self._lossy_until_us

    def reported(self, kind: Kind, fraction_lost: int, now_us: int) -> None:
        """A receiver report's block about one of its slots; `fraction_lost` in 1/256."""
        if fraction_lost >= (LOST_TWICE if kind == "audio" and self.lossy(now_us) else LOSSY):
            self._lossy_until_us = now_us + CALM_US

    def answer(self, resend: Resend, now_us: int) -> Resend:
        """A NACK is being answered: the answer, which is remembered where it had better be said again."""
        if self.lossy(now_us):
            self._answers.append(resend)
        return resend

    def due(self, playing: Iterable[int], now_us: int) -> list[Change]:
        """What to send again at this tick; `playing` are the sinks that play something."""
        changes: list[Change] = [*self._answers]
        self._answers.clear()
        if self.lossy(now_us):
            changes += [Repeat(sink) for sink in playing]
        return changes

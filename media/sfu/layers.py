"""The layers of a track (simulcast, RFC 8853): the same picture in several sizes, and which of them a slot plays.

A track without simulcast has one. A layer is learnt from its first packet (mid and rid), so a track may have fewer
than it offered: a browser that is short of bandwidth sends the small ones alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from media.kernel.table import SourceFacts
from media.sfu.history import NackSchedule
from media.sfu.reports import Clock, ReceptionReport

FULL_HEIGHT_PX = 8192
"""What a viewer who has not said otherwise would like: the tallest there is."""
USUAL_HEIGHT_PX = 720
SCALES = {"q": 0.25, "h": 0.5, "f": 1.0}
"""What the pages call their layers, against the whole picture."""
LEAVE = 1.1
"""A layer is left for a taller one only where it falls this far short: tiles that breathe do not flicker."""
SILENT_US = 200_000
"""A layer that sent nothing while another went on for this long is not chosen: a browser short of bandwidth stops the
big ones at once, and until we notice the picture stands still. Layers share their frames, so a gap of all says nothing.
"""
SILENT_TICKS = 4
"""And the others must have been heard at so many ticks meanwhile, some four pictures: a slow camera is not silent."""
SMALLEST = 2
"""Times as much for the smallest: a browser stops it last, and its pictures are one packet, easily lost in a row."""
RETURN_US = 2_000_000
"""A layer that fell silent is not chosen sooner, though it sends: each change costs a keyframe."""


@dataclass(slots=True, eq=False)
class Layer:
    """One RTP stream of a track; `source` is its id in the kernel's table."""

    rid: str
    source: int
    ssrc: int
    reception: ReceptionReport = field(init=False)
    clock: Clock | None = None
    nacks: NackSchedule = field(default_factory=NackSchedule)
    keyframe_px: int = 0
    live: bool = True
    _packets: int = 0
    _last_us: int = 0
    _missed: int = 0
    _fell_us: int = 0

    def __post_init__(self) -> None:
        self.reception = ReceptionReport(self.ssrc)

    def sent(self, facts: SourceFacts) -> bool:
        """Whether packets came since the last tick."""
        return facts.packets > self._packets

    def observe(self, facts: SourceFacts, now_us: int, *, others: bool, patience: int) -> bool:
        """Take note of its size and whether it lives; True where it is news. `others`: some layer sent."""
        if self.sent(facts) or not self._last_us:
            self._packets, self._last_us, self._missed = facts.packets, now_us, 0
            live = self.live or now_us - self._fell_us >= RETURN_US
        else:
            self._missed += others
            silent = now_us - self._last_us >= SILENT_US * patience and self._missed >= SILENT_TICKS * patience
            live = self.live and not silent
            if self.live and silent:
                self._fell_us = now_us
        if live is self.live and facts.height_px == self.keyframe_px:
            return False
        self.live, self.keyframe_px = live, facts.height_px
        return True


def observe_all(layers: Iterable[Layer], facts: Mapping[int, SourceFacts], now_us: int) -> bool:
    """Each layer of one track against the others, once a tick; True where the choice may change."""
    known = [one for one in layers if one.source in facts]
    sent = [one.sent(facts[one.source]) for one in known]
    smallest = min((SCALES.get(one.rid, 1.0) for one in known), default=1.0)
    news = False
    for layer in known:
        patience = SMALLEST if SCALES.get(layer.rid, 1.0) == smallest else 1
        news |= layer.observe(facts[layer.source], now_us, others=any(sent), patience=patience)
    return news


def heights_px(layers: Iterable[Layer]) -> dict[Layer, float]:
    """How tall each is: as its last keyframe said, else by its name and what the others said."""
    every = list(layers)
    whole = max((one.keyframe_px / SCALES.get(one.rid, 1.0) for one in every if one.keyframe_px), default=0)
    whole = whole or USUAL_HEIGHT_PX
    return {one: one.keyframe_px or whole * SCALES.get(one.rid, 1.0) for one in every}


def choose(layers: Iterable[Layer], wanted_px: int, present: int | None) -> Layer | None:
    """The smallest layer that is as tall as wanted, else the tallest; of those that live, if any does.

    `present` is the source that plays now: it stays as long as it is tall enough or nearly so, and no smaller would do.
    """
    height = heights_px(layers)
    living = [one for one in height if one.live] or list(height)
    by_height = sorted(living, key=lambda one: height[one])
    if not by_height:
        return None
    best = next((one for one in by_height if height[one] >= wanted_px), by_height[-1])
    for one in living:
        if one.source == present and height[one] < height[best] and wanted_px <= height[one] * LEAVE:
            return one
    return best

"""Who speaks, from the levels that browsers put into their audio packets (RFC 6464); nothing is decoded."""

from dataclasses import dataclass, field

from media.control import Loudness

SPEAKING = 77
"""−50 dBov, as 127 − level: above a room's noise, below quiet speech."""
SILENT = 67
"""A speaker who falls below this has stopped: hysteresis, so that pauses between words do not flicker."""
ATTACK, DECAY = 0.35, 0.04
"""Shares of the new value for each 20 ms: about 50 ms to be noticed, half a second to be forgotten."""
INTERVAL_US = 200_000


@dataclass(slots=True)
class SpeakerDetector:
    """Smoothed loudness of each participant of one meeting."""

    _smooth: dict[str, float] = field(default_factory=dict)
    _speaking: set[str] = field(default_factory=set)
    _told: tuple[Loudness, ...] = ()
    _told_us: int = -INTERVAL_US

    def update(self, levels: dict[str, int], now_us: int) -> tuple[Loudness, ...] | None:
        """Take one interval's mean loudness of everyone heard; who speaks, loudest first, if that is news."""
        for name in self._smooth.keys() - levels.keys():
            del self._smooth[name]
            self._speaking.discard(name)
        for name, level in levels.items():
            before = self._smooth.get(name, 0.0)
            share = ATTACK if level > before else DECAY
            now = self._smooth[name] = before + (level - before) * share
            if now >= SPEAKING:
                self._speaking.add(name)
            elif now < SILENT:
                self._speaking.discard(name)
        if now_us - self._told_us < INTERVAL_US:
            return None
        ranked = sorted(self._speaking, key=lambda name: -self._smooth[name])
        said = tuple(Loudness(name, int(self._smooth[name])) for name in ranked)
        if said == self._told:
            return None
        self._told, self._told_us = said, now_us
        return said

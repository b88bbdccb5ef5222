"""When to ask a publisher for a keyframe (PLI, RFC 4585 §6.3.1): throttled, and repeated until one comes."""

from dataclasses import dataclass, field

INTERVAL_US = 300_000
"""Chromium ignores a PLI that comes sooner after the last one that it followed."""
REPEAT_US = 100_000
"""An asking that is not followed may have been lost, as may the keyframe: it is said again, which costs nothing if not.
"""

SOON = 6
"""Askings until then; who has not answered so many will hardly do so a tenth of a second later."""


@dataclass(slots=True)
class _Wish:
    asked_us: int = -INTERVAL_US
    wanted: bool = False
    asked: int = 0
    """Times since it was made."""
    keyframes: int = 0
    """The source's keyframe count when the wish was made."""


@dataclass(slots=True)
class KeyframeRequests:
    """The open wishes for keyframes, one a source."""

    _wishes: dict[int, _Wish] = field(default_factory=dict)

    def want(self, source: int, keyframes: int) -> None:
        """Somebody cannot decode until the next keyframe of this source; it has sent `keyframes` so far."""
        wish = self._wishes.setdefault(source, _Wish())
        if not wish.wanted:
            wish.wanted, wish.asked, wish.keyframes = True, 0, keyframes

    def seen(self, source: int, keyframes: int) -> None:
        """The source has now sent this many keyframes."""
        wish = self._wishes.get(source)
        if wish is not None and keyframes > wish.keyframes:
            wish.wanted = False

    def due(self, now_us: int) -> tuple[int, ...]:
        """Sources to ask right now."""
        asked = []
        for source, wish in self._wishes.items():
            wait_us = REPEAT_US if 0 < wish.asked < SOON else INTERVAL_US
            if wish.wanted and now_us - wish.asked_us >= wait_us:
                wish.asked, wish.asked_us = wish.asked + 1, now_us
                asked.append(source)
        return tuple(asked)

    def forget(self, source: int) -> None:
        """The source is gone."""
        self._wishes.pop(source, None)

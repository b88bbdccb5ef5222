"""How much somebody may ask of us: so many units a second, saved up for one second. What goes beyond is not done."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Budget:
    """Of one viewer. Time is in microseconds."""

    per_s: int
    _left: float = field(init=False)
    _at_us: int | None = None

    def __post_init__(self) -> None:
        self._left = float(self.per_s)

    def take(self, wanted: int, now_us: int) -> int:
        """Spend up to so many; how many it may be."""
        if self._at_us is not None:
            self._left = min(float(self.per_s), self._left + max(0, now_us - self._at_us) * self.per_s / 1_000_000)
        self._at_us = now_us
        given = min(wanted, int(self._left))
        self._left -= given
        return given

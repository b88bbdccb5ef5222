"""When to ask a publisher again for what was lost (NACK, RFC 4585 §6.2.1), and when to give up."""

from dataclasses import dataclass, field

REORDER_US = 5_000
"""Younger gaps may still be reordering."""
FIRST_RETRY_US = 60_000
"""A little above a usual round trip; each further try waits half as long again."""
GIVE_UP_US = 1_000_000
"""A player's buffer has moved on by then; its picture loss request helps more."""
MAX_ASKED = 120
"""Sequence numbers in one asking; a burst beyond that is repaired by a keyframe."""


@dataclass(slots=True)
class _Tries:
    count: int = 0
    next_us: int = 0


@dataclass(slots=True)
class NackSchedule:
    """Of one source. Feed it what is missing; it says what to ask for now and what to forget."""

    _tries: dict[int, _Tries] = field(default_factory=dict)

    def due(self, missing: tuple[tuple[int, int], ...], now_us: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """(to ask for, to forget), as extended sequence numbers. `missing` is (sequence, noticed at µs)."""
        if not missing:
            self._tries.clear()
            return (), ()
        ask: list[int] = []
        forget: list[int] = []
        living: dict[int, _Tries] = {}
        for sequence, noticed_us in missing:
            if now_us - noticed_us > GIVE_UP_US:
                forget.append(sequence)
                continue
            tries = self._tries.get(sequence) or _Tries(next_us=noticed_us + REORDER_US)
            living[sequence] = tries
            if now_us >= tries.next_us and len(ask) < MAX_ASKED:
                ask.append(sequence)
                tries.next_us = now_us + int(FIRST_RETRY_US * 1.5**tries.count)
                tries.count += 1
        self._tries = living
        return tuple(ask), tuple(forget)

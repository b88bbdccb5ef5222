"""When to ask a publisher again for what was lost (NACK, RFC 4585 §6.2.1), and when to give up.

An asking or its answer may be lost as well: the next one comes as soon as an answer could have been here. How long that
takes is learnt from packets that were asked for once and then came (Karn's rule: of those asked for twice nobody knows
which asking was answered). Where answers only ever come after a second asking, the path is longer than was thought.
"""

from dataclasses import dataclass, field

REORDER_US = 5_000
"""Younger gaps may still be reordering."""
TICK_US = 20_000
"""We look this often, so an answer may be this much older than it seems, and no retry comes sooner."""
FIRST_RETRY_US = 60_000
"""A little above a usual round trip, as long as none was seen."""
SLACK = 1.25
"""Paths sway: a retry waits this much longer than the longest of the last answers took."""
GROWTH = 1.25
"""From the third try on each waits so many times as long: three lost ones cost a tenth of a second on a short path."""
FADE = 8
"""A shorter answer moves the estimate by this part of the way; a longer one all of it."""
LONGEST_US = 500_000
"""No path is believed to be longer: what was asked for before a cut and came after it says nothing of the path."""
DOUBTFUL_ROUNDS = 3
"""So often in a row did nothing come after a first asking alone: then the path is longer than we wait."""
LONG_US = 100_000
"""On a longer path each asking is said again a tick later: a browser does not repeat twice within a round trip, and a
lost asking costs so little.
"""
GIVE_UP_US = 2_000_000
"""Eight tries on a path of 150 ms, of which a tenth is lost each way: one packet in half a million remains. A player
that got nothing for so long asks for a keyframe by itself.
"""
MAX_ASKED = 120
"""Sequence numbers in one asking; a burst beyond that is repaired by a keyframe."""


@dataclass(slots=True)
class RoundTrip:
    """From asking to answer, of one connection; times are whole ticks, rounded up."""

    longest_us: int | None = None
    _doubts: list[int] = field(default_factory=list)

    @property
    def retry_us(self) -> int:
        """How long an answer is waited for before the second asking."""
        if self.longest_us is None:
            return FIRST_RETRY_US
        return TICK_US + int(SLACK * max(0, self.longest_us - TICK_US))

    def answered(self, waits_us: list[int], doubtful_us: list[int]) -> None:
        """What came since the last tick: times since its only asking, and since the first of several."""
        if waits_us:
            self._doubts.clear()
            wait_us = min(LONGEST_US, max(waits_us))
            if self.longest_us is None or wait_us > self.longest_us:
                self.longest_us = wait_us
            else:
                self.longest_us -= (self.longest_us - wait_us) // FADE
        elif doubtful_us:
            self._doubts.append(min(doubtful_us))
            if len(self._doubts) >= DOUBTFUL_ROUNDS:
                self.longest_us = max(self.longest_us or 0, min(LONGEST_US, *self._doubts))
                self._doubts.clear()


@dataclass(slots=True)
class _Tries:
    count: int = 0
    first_us: int = 0
    next_us: int = 0
    echo: bool = False
    """The next asking only says the last one again."""


@dataclass(slots=True)
class NackSchedule:
    """Of one source. Feed it what is missing; it says what to ask for now and what to forget."""

    _tries: dict[int, _Tries] = field(default_factory=dict)

    def noticed(self, sequences: range, now_us: int, path: RoundTrip) -> tuple[int, ...]:
        """A gap that need not be reordering, told of between two ticks: what to ask for at once."""
        ask = sequences[:MAX_ASKED]
        for sequence in ask:
            self._tries[sequence] = _Tries(1, now_us, now_us + path.retry_us - TICK_US // 4)
        return tuple(ask)

    def due(
        self, missing: tuple[tuple[int, int], ...], now_us: int, path: RoundTrip
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """(to ask for, to forget), as extended sequence numbers. `missing` is (sequence, noticed at µs)."""
        if not missing and not self._tries:
            return (), ()
        self._learn({sequence for sequence, _ in missing}, now_us, path)
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
                tries.first_us = tries.first_us or now_us
                if tries.echo:
                    tries.echo = False
                else:
                    tries.count += 1
                    tries.echo = path.retry_us >= LONG_US
                wait_us = TICK_US if tries.echo else int(path.retry_us * GROWTH ** max(0, tries.count - 3))
                tries.next_us = now_us + wait_us - TICK_US // 4  # ticks sway: what is nearly due is due
        self._tries = living
        return tuple(ask), tuple(forget)

    def _learn(self, missing: set[int], now_us: int, path: RoundTrip) -> None:
        came = [tries for sequence, tries in self._tries.items() if sequence not in missing and tries.count]
        if came:
            path.answered(
                [now_us - tries.first_us for tries in came if tries.count == 1],
                [now_us - tries.first_us for tries in came if tries.count > 1],
            )

"""Who sits in which seat of a viewer. A seat is a pair of slots, audio and video, that play in sync.

Stable first: whoever has a seat keeps it. When there are fewer seats than people, those who spoke last come in, for
those who have been silent longest. A page that said what it shows has just that in its seats, in its order, and in the
rest of them the sound alone of those who spoke last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """What sits: a participant's microphone and camera, or their screen."""

    participant_id: str
    screen: bool = False


def assign(count: int, held: Mapping[int, Unit], wanted: Sequence[Unit]) -> dict[int, Unit]:
    """Seat → unit. `wanted` is in order of importance; of it the first `count` are seated, others not.

    Whoever is in `held` and still important enough stays where they are.
    """
    chosen = list(dict.fromkeys(wanted))[:count]
    seated = {seat: unit for seat, unit in held.items() if unit in chosen and seat < count}
    placed = set(seated.values())
    free = iter([seat for seat in range(count) if seat not in seated])
    for unit in chosen:
        if unit not in placed:
            seated[next(free)] = unit
    return seated


def importance(units: Sequence[Unit], spoke_us: Mapping[str, int]) -> list[Unit]:
    """Screens first, then by who spoke last, then in the order given (the order of arrival)."""
    order = {unit: place for place, unit in enumerate(units)}
    return sorted(units, key=lambda unit: (not unit.screen, -spoke_us.get(unit.participant_id, 0), order[unit]))

"""From who sits where to the kernel's routes and the words to the browsers."""

from collections.abc import Iterable, Iterator, Mapping

from media.control import Assignment
from media.kernel.table import Change, Route
from media.sfu.members import Member, Receiving
from media.sfu.seats import assign, importance


def seat_everybody(
    members: Iterable[Member], spoke_us: Mapping[str, int]
) -> Iterator[tuple[Receiving, tuple[Assignment, ...] | None, list[Change]]]:
    """For each `receive` connection whose routes change: (it, what to tell its browser or None, the routes).

    A participant never sits in front of themselves.
    """
    everybody = {member.id: member for member in members}
    units = [unit for member in everybody.values() for unit in member.units()]
    for member in everybody.values():
        receiving = member.receiving
        if receiving is None or not receiving.ready:
            continue
        wanted = importance([unit for unit in units if unit.participant_id != member.id], spoke_us)
        receiving.held = assign(len(receiving.seats), receiving.held, wanted)
        assignments, routes = _place(receiving, everybody)
        told = None if assignments == receiving.assignments else assignments
        receiving.assignments = assignments
        if told is not None or routes:
            yield receiving, told, routes


def _place(receiving: Receiving, everybody: Mapping[str, Member]) -> tuple[tuple[Assignment, ...], list[Change]]:
    assignments: list[Assignment] = []
    routes: list[Change] = []
    for place, seat in enumerate(receiving.seats):
        unit = receiving.held.get(place)
        for slot in (seat.audio, seat.video):
            if slot is None or slot.sink is None:
                continue
            track = everybody[unit.participant_id].track(unit, slot.identity.kind) if unit else None
            source = track.source if track else None
            if source != slot.source:
                slot.source = source
                routes.append(Route(slot.sink, source))
            if track is not None and source is not None:
                assignments.append(
                    Assignment(slot.identity.mid, slot.identity.kind, track.participant_id, track.origin)
                )
    return tuple(assignments), routes

"""From who sits where to the kernel's routes and the words to the browsers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from media.control import Assignment, Origin, OwnView, View
from media.kernel.table import Change, Route
from media.sfu.layers import FULL_HEIGHT_PX, choose
from media.sfu.members import SCREEN, Member, Receiving, Sending, Slot, Track
from media.sfu.seats import Unit, assign, importance

VIDEO: tuple[Origin, ...] = ("camera", "screen")


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
        others = importance([unit for unit in units if unit.participant_id != member.id], spoke_us)
        heights = _shown(member.views, others)
        receiving.held = assign(len(receiving.seats), receiving.held, [*heights, *others])
        receiving.heights = {unit: heights[unit] for unit in receiving.held.values() if unit in heights}
        assignments, routes = _place(receiving, everybody)
        told = None if assignments == receiving.assignments else assignments
        receiving.assignments = assignments
        if told is not None or routes:
            yield receiving, told, routes


def _shown(views: Sequence[View] | None, others: Sequence[Unit]) -> dict[Unit, int]:
    """Whose picture is shown, most important first, and how tall: what the page said, else everybody's, in full."""
    if views is None:
        return dict.fromkeys(others, FULL_HEIGHT_PX)
    present = set(others)
    heights: dict[Unit, int] = {}
    for view in views:
        unit = Unit(view.participant_id, screen=view.origin in SCREEN)
        if unit in present and view.height_px:
            heights[unit] = max(view.height_px, heights.get(unit, 0))
    return heights


def _place(receiving: Receiving, everybody: Mapping[str, Member]) -> tuple[tuple[Assignment, ...], list[Change]]:
    assignments: list[Assignment] = []
    routes: list[Change] = []
    for place, seat in enumerate(receiving.seats):
        unit = receiving.held.get(place)
        for slot in (seat.audio, seat.video):
            if slot is None or slot.sink is None:
                continue
            track = everybody[unit.participant_id].track(unit, slot.identity.kind) if unit else None
            source = _source(slot, track, receiving.heights.get(unit, 0) if unit else 0)
            if source != slot.source:
                slot.source = source
                routes.append(Route(slot.sink, source))
            if track is not None and source is not None:
                assignments.append(
                    Assignment(slot.identity.mid, slot.identity.kind, track.participant_id, track.origin)
                )
    return tuple(assignments), routes


def _source(slot: Slot, track: Track | None, wanted_px: int) -> int | None:
    """What a slot plays of a track: nothing where its codec was not agreed on, or a picture that is not shown."""
    if track is None or track.section.codec not in slot.codecs or (track.kind == "video" and not wanted_px):
        return None
    layer = choose(track.layers, wanted_px, slot.source)
    return layer.source if layer else None


def looked_at(members: Iterable[Member]) -> Iterator[tuple[Sending, tuple[OwnView, ...]]]:
    """Each `send` connection whose pictures are looked at otherwise than its participant was told last.

    The highest height at which anybody who receives is shown it, 0 for nobody.
    """
    everybody = list(members)
    highest: dict[tuple[str, bool], int] = {}
    for viewer in everybody:
        if viewer.receiving is None or not viewer.receiving.ready:
            continue
        for unit, height_px in viewer.receiving.heights.items():
            name = unit.participant_id, unit.screen
            highest[name] = max(height_px, highest.get(name, 0))
    for member in everybody:
        sending = member.sending
        if sending is None or not sending.ready:
            continue
        origins = dict.fromkeys(track.origin for track in sending.tracks if track.origin in VIDEO)
        views = tuple(OwnView(origin, highest.get((member.id, origin in SCREEN), 0)) for origin in origins)
        if views and views != sending.looked_at:
            sending.looked_at = views
            yield sending, views

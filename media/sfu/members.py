"""The people of one meeting and their connections, as the router keeps them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from media.control import Assignment, Origin, OwnView, PlannedParticipant, View
from media.kernel.table import AddSink, Change, Codec, Kind, Sink
from media.sfu.budget import Budget
from media.sfu.history import RoundTrip
from media.sfu.layers import Layer
from media.sfu.repairs import Repairs
from media.sfu.seats import Unit
from media.sfu.values import Publication, PublishedSection, SlotIdentity, SlotTerms

RESENDS_PER_S: Final = 600
"""A third of nine pictures of 300 packets a second each would be lost before this is too few."""
SCREEN: Final[frozenset[Origin]] = frozenset(("screen", "screen-sound"))


@dataclass(slots=True, eq=False)
class Track:
    """One section of a `send` connection. `id` tells the kernel which sources are its layers."""

    sending: "Sending"
    section: PublishedSection
    id: int
    open: bool = True
    layers: list[Layer] = field(default_factory=list)

    @property
    def kind(self) -> Kind:
        """Audio or video."""
        return self.section.kind

    @property
    def origin(self) -> Origin:
        """What it shows or lets hear."""
        return self.section.origin

    @property
    def participant_id(self) -> str:
        """Whose it is."""
        return self.sending.participant_id

    def lacks(self, rid: str) -> bool:
        """Whether a layer of this name was agreed on ("" without simulcast) and is not known yet."""
        return rid in (self.section.rids or ("",)) and all(layer.rid != rid for layer in self.layers)

    def layer(self, rid: str) -> Layer | None:
        """The layer of this name, once known."""
        return next((layer for layer in self.layers if layer.rid == rid), None)


class Sending:
    """A `send` connection."""

    def __init__(self, peer: int, participant_id: str, publication: Publication, next_id: Callable[[], int]) -> None:
        self.peer, self.participant_id = peer, participant_id
        self.ready = False
        self.tracks = tuple(Track(self, section, next_id()) for section in publication.sections)
        self.round_trip = RoundTrip()
        self.arrivals: dict[int, int] = {}
        self.feedback_count = 0
        self.feedback_base: int | None = None
        self.looked_at: tuple[OwnView, ...] | None = None
        """What its participant was told."""

    def by_ssrc(self, ssrc: int) -> Layer | None:
        """The layer that is sent under this SSRC."""
        return next((layer for track in self.tracks for layer in track.layers if layer.ssrc == ssrc), None)

    def any_ssrc(self) -> int | None:
        """Some SSRC of it, preferably video's: transport-wide feedback must name one."""
        known = sorted((track.kind != "video", layer.ssrc) for track in self.tracks for layer in track.layers)
        return known[0][1] if known else None


@dataclass(slots=True, eq=False)
class Slot:
    """One section of a `receive` connection. `source` is what plays there."""

    identity: SlotIdentity
    sink: int | None = None
    source: int | None = None
    codecs: frozenset[Codec] = frozenset()


@dataclass(frozen=True, slots=True)
class Seat:
    """An audio and a video slot that play in sync; one of them may be missing."""

    audio: Slot | None
    video: Slot | None


class Receiving:
    """A `receive` connection: its slots, paired to seats in the order of its sections."""

    def __init__(self, peer: int, participant_id: str) -> None:
        self.peer, self.participant_id = peer, participant_id
        self.ready = False
        self.seats: tuple[Seat, ...] = ()
        self.by_sink: dict[int, Slot] = {}
        self.held: dict[int, Unit] = {}
        self.heights: dict[Unit, int] = {}
        """Of those who sit, whose picture is shown, and how tall."""
        self.resends = Budget(RESENDS_PER_S)
        self.repairs = Repairs()
        self.assignments: tuple[Assignment, ...] | None = None
        self._slots: list[Slot] = []

    def reserve(self, sections: Sequence[tuple[str, str]], next_ssrc: Callable[[], int]) -> tuple[SlotIdentity, ...]:
        """Name a slot for each section (mid, kind); the n-th audio and the n-th video share a seat."""
        count = {"audio": 0, "video": 0}
        for mid, kind in sections:
            named: Kind = "video" if kind == "video" else "audio"
            rtx = next_ssrc() if named == "video" else None
            self._slots.append(Slot(SlotIdentity(mid, named, next_ssrc(), rtx, f"seat-{count[named]}")))
            count[named] += 1
        return tuple(slot.identity for slot in self._slots)

    def open(self, terms: Iterable[SlotTerms], next_id: Callable[[], int]) -> list[Change]:
        """Sinks for every slot that was agreed on."""
        agreed = {term.mid: term for term in terms}
        self._slots = [slot for slot in self._slots if slot.identity.mid in agreed]
        changes: list[Change] = []
        for slot in self._slots:
            term, identity = agreed[slot.identity.mid], slot.identity
            slot.sink, slot.codecs = next_id(), frozenset(term.payload_types)
            self.by_sink[slot.sink] = slot
            sink = Sink(
                slot.sink,
                self.peer,
                identity.kind,
                identity.ssrc,
                identity.rtx_ssrc,
                term.payload_types,
                term.clock_hz,
                term.extension,
            )
            changes.append(AddSink(sink))
        by_stream: dict[str, dict[Kind, Slot]] = {}
        for slot in self._slots:
            by_stream.setdefault(slot.identity.stream_id, {})[slot.identity.kind] = slot
        self.seats = tuple(Seat(pair.get("audio"), pair.get("video")) for pair in by_stream.values())
        return changes

    def playing(self) -> Iterator[int]:
        """The sinks of the slots in which something plays."""
        return (slot.sink for slot in self._slots if slot.sink is not None and slot.source is not None)

    def by_ssrc(self, ssrc: int) -> Slot | None:
        """The slot that plays under this SSRC."""
        return next((slot for slot in self._slots if slot.identity.ssrc == ssrc), None)


class Member:
    """One participant: what is wished of them, and up to two connections of each name (the next replaces the last)."""

    def __init__(self, participant_id: str) -> None:
        self.id = participant_id
        self.wish = PlannedParticipant(participant_id)
        self.views: tuple[View, ...] | None = None
        """What their page shows; None as long as it has not said so."""
        self.sending: Sending | None = None
        self.next_sending: Sending | None = None
        self.receiving: Receiving | None = None
        self.next_receiving: Receiving | None = None

    def allows(self, origin: Origin) -> bool:
        """Whether a track of this origin may pass."""
        match origin:
            case "microphone":
                return self.wish.audio
            case "camera":
                return self.wish.video
            case "screen" | "screen-sound":
                return self.wish.screen

    def all_sending(self) -> Iterator[Sending]:
        """The present `send` connection and the next."""
        yield from (s for s in (self.sending, self.next_sending) if s is not None)

    def connections(self) -> tuple[Sending | Receiving, ...]:
        """All of them."""
        every = (self.sending, self.next_sending, self.receiving, self.next_receiving)
        return tuple(connection for connection in every if connection is not None)

    def forget(self, connection: Sending | Receiving) -> None:
        """It is no longer theirs."""
        for name in ("sending", "next_sending", "receiving", "next_receiving"):
            if getattr(self, name) is connection:
                setattr(self, name, None)

    def units(self) -> Iterator[Unit]:
        """What of them can be seated."""
        if self.sending is None or not self.sending.ready:
            return
        origins = {track.origin for track in self.sending.tracks}
        if origins & {"microphone", "camera"}:
            yield Unit(self.id)
        if self.wish.screen and origins & SCREEN:
            yield Unit(self.id, screen=True)

    def track(self, unit: Unit, kind: Kind) -> Track | None:
        """The track of this kind that belongs to a unit of theirs."""
        if self.sending is None:
            return None
        for track in self.sending.tracks:
            if track.kind == kind and (track.origin in SCREEN) is unit.screen:
                return track
        return None

"""Bad networks between two people and the relay: the picture moves, the sound is heard, and nobody clicks."""

from collections.abc import Iterator

import pytest

from tests.system.browser import Browser, Person, until
from tests.system.operated import Operated
from tests.system.wire import FAR, Conditions, Wire

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """A Quorum whose media can be reached through the wire alone."""
    made = Operated(tmp_path_factory.mktemp("far"), QUORUM_MEDIA_ADDRESSES=FAR)
    try:
        made.until_ready()
        yield made
    finally:
        made.close()


@pytest.fixture
def wire(site: Operated) -> Iterator[Wire]:
    """The network between, good until told otherwise."""
    with Wire([int(site.environ["QUORUM_MEDIA_PORT"])]) as made:
        yield made


@pytest.fixture
def pair(site: Operated, browser: Browser, wire: Wire) -> Iterator[tuple[Person, Person]]:
    """Ann and Bob, who see and hear each other through the wire."""
    ann, bob = (Person(browser, name).enter(site.url, "hello") for name in ("Ann", "Bob"))
    try:
        each_sees_and_hears(ann, bob)
        yield ann, bob
        ann.calm()
        bob.calm()
    finally:
        site.end_meetings()
        ann.page.close()
        bob.page.close()


def each_sees_and_hears(ann: Person, bob: Person) -> None:
    for one, other in ((ann, bob), (bob, ann)):
        one.sees(other.id)
        one.hears(other.id)


def protocols(person: Person) -> set[str]:
    """What both connections' chosen paths run over."""
    stats = person.stats() or {"inbound": [], "outbound": []}
    found = set()
    for entries in (stats["inbound"], stats["outbound"]):
        by_id = {entry["id"]: entry for entry in entries}
        for entry in entries:
            if entry["type"] == "transport" and (chosen := entry.get("selectedCandidatePairId")) is not None:
                found.add(by_id[by_id[chosen]["localCandidateId"]]["protocol"])
    return found


def connections_made(person: Person) -> object:
    """Which connections are in use; each rebuilding makes a new one."""
    stats = person.stats() or {"inbound": [], "outbound": []}
    return sorted(
        e["iceLocalUsernameFragment"] for k in ("inbound", "outbound") for e in stats[k] if e["type"] == "transport"
    )


def test_at_eight_percent_loss_the_picture_moves_and_the_sound_is_heard(
    pair: tuple[Person, Person], wire: Wire
) -> None:
    lost = wire.down.lost
    wire.conditions = Conditions(loss=0.08)
    ann, bob = pair
    for one, other in ((ann, bob), (bob, ann)):
        one.sees(other.id, frames=40)
        one.hears(other.id)
    assert wire.down.lost > lost + 20
    repaired = ann.total("video", "retransmittedPacketsReceived", bob.id)
    assert repaired > 0, "what was lost is sent again"


def test_a_new_address_of_the_browser_is_followed_without_signaling(pair: tuple[Person, Person], wire: Wire) -> None:
    ann, bob = pair
    before = connections_made(ann), connections_made(bob)
    for _ in range(3):
        wire.rebind()
        each_sees_and_hears(ann, bob)
    assert (connections_made(ann), connections_made(bob)) == before, "the same connections go on"


def test_after_a_cut_the_call_goes_on_by_itself(pair: tuple[Person, Person], wire: Wire) -> None:
    ann, bob = pair
    wire.cut(4)
    frames = ann.total("video", "framesDecoded", bob.id)
    until(wire.healed, "the cut is over")
    assert ann.total("video", "framesDecoded", bob.id) < frames + 20, "the cut was one"
    each_sees_and_hears(ann, bob)
    assert {p["name"] for p in ann.state()["people"]} == {"Ann", "Bob"}


def test_where_udp_is_shut_the_call_runs_over_tcp(site: Operated, browser: Browser, wire: Wire) -> None:
    wire.udp_open = False
    ann, bob = (Person(browser, name).enter(site.url, "hello") for name in ("Ann", "Bob"))
    try:
        each_sees_and_hears(ann, bob)
        assert protocols(ann) == protocols(bob) == {"tcp"}
        assert wire.tcp_bytes > 100_000
        ann.calm()
        bob.calm()
    finally:
        site.end_meetings()
        ann.page.close()
        bob.page.close()

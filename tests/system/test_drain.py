"""Two media workers: what carries a call is killed or emptied, and the other takes the call over. Nobody clicks."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from config.environment import ROOT
from tests.system.browser import Browser, Person, until
from tests.system.carriers import Carriers
from tests.system.operated import Operated

pytestmark = pytest.mark.system
WORKERS = 2
Pair = tuple[Person, Person]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """A Quorum with two media workers."""
    made = Operated(tmp_path_factory.mktemp("two"), QUORUM_MEDIA_WORKERS=str(WORKERS))
    try:
        made.until_ready()
        yield made
    finally:
        made.close()


@pytest.fixture
def carriers(site: Operated) -> Iterator[Carriers]:
    """Who carries the meeting."""
    made = Carriers(site)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def pair(site: Operated, browser: Browser) -> Iterator[Pair]:
    """Ann and Bob in a call."""
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


def until_both_follow(pair: Pair, epoch: int) -> None:
    """All four connections lead to a later relay."""
    until(lambda: all(followed(person, epoch) for person in pair), "both follow")


def followed(person: Person, epoch: int) -> bool:
    """Both connections lead to a later relay."""
    stats = person.stats() or {}
    return all((stats.get(which) or 0) > epoch for which in ("sendEpoch", "receiveEpoch"))


def test_another_relay_takes_the_call_of_a_killed_one(site: Operated, carriers: Carriers, pair: Pair) -> None:
    before = carriers.settled(WORKERS)
    epoch = pair[0].state()["epoch"]
    os.kill(before.pid, signal.SIGKILL)
    until_both_follow(pair, epoch)
    each_sees_and_hears(*pair)
    assert carriers.settled(WORKERS).id != before.id
    assert {person["name"] for person in pair[0].state()["people"]} == {"Ann", "Bob"}


def test_the_other_worker_takes_the_call_of_a_silent_one_and_keeps_it(
    site: Operated, carriers: Carriers, pair: Pair
) -> None:
    before = carriers.settled(WORKERS)
    epoch = pair[0].state()["epoch"]
    stopped = carriers.group(before)
    try:
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        until_both_follow(pair, epoch)
        each_sees_and_hears(*pair)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    after = carriers.settled(WORKERS)
    assert after.name != before.name
    epoch = pair[0].state()["epoch"]
    each_sees_and_hears(*pair)
    assert (carriers.settled(WORKERS).id, pair[0].state()["epoch"]) == (after.id, epoch), "a stale relay takes nothing"


def test_a_worker_that_is_drained_hands_the_call_over_unbroken(site: Operated, carriers: Carriers, pair: Pair) -> None:
    before = carriers.settled(WORKERS)
    epoch = pair[0].state()["epoch"]
    try:
        drained = manage(site, "drain", before.name, "--wait", "--limit", "30")
        assert drained.stdout.strip() == f"{before.name} is empty"
        until_both_follow(pair, epoch)
        each_sees_and_hears(*pair)
        after = carriers.carrier()
        assert after is not None
        assert after.name != before.name
        assert {n.name for n in carriers.nodes()} == {before.name, after.name}, "the drained one lives, and rests"
    finally:
        site.post(f"/api/v1/nodes/{before.name}/undrain/")


def manage(site: Operated, *words: str) -> "subprocess.CompletedProcess[str]":
    """`manage.py` as the operator would call it."""
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    return subprocess.run(command, env=site.environ, capture_output=True, text=True, check=True)

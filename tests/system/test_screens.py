"""Screens are shared with their sound, several at once, and nobody's call is renegotiated for it."""

from collections.abc import Iterator

import pytest

from tests.system.browser import SMALL, Browser, Person, until
from tests.system.operated import Operated

pytestmark = pytest.mark.system


@pytest.fixture
def pair(quorum: Operated, browser: Browser) -> Iterator[tuple[Person, Person]]:
    """Ann and Bob in a call."""
    ann, bob = (Person(browser, name, SMALL).enter(quorum.url, "hello") for name in ("Ann", "Bob"))
    try:
        ann.sees(bob.id)
        bob.sees(ann.id)
        yield ann, bob
        ann.calm()
        bob.calm()
    finally:
        quorum.end_meetings()
        ann.page.close()
        bob.page.close()


def sharing(of: Person, seen_by: Person) -> bool:
    """Whether one page knows that another shares."""
    return bool((seen_by.person(of.id) or {}).get("sharing"))


def press_share(person: Person) -> None:
    """As its keyboard does."""
    person.page.keyboard.press("s")


def test_the_other_sees_a_second_picture_and_hears_its_sound(pair: tuple[Person, Person]) -> None:
    ann, bob = pair
    press_share(ann)
    until(lambda: sharing(ann, bob), "Bob's page knows that Ann shares")
    bob.sees(ann.id, origin="screen", frames=3)
    bob.hears(ann.id, origin="screen-sound")
    bob.sees(ann.id)
    bob.hears(ann.id)
    press_share(bob)
    until(lambda: sharing(bob, ann), "Ann's page knows that Bob shares, too")
    ann.sees(bob.id, origin="screen", frames=3)
    bob.sees(ann.id, origin="screen", frames=3)
    press_share(ann)
    until(lambda: not sharing(ann, bob), "Bob's page knows that Ann ended it")
    until(lambda: not bob.inbound("video", ann.id, "screen"), "her screen's seat is empty")
    bob.sees(ann.id)
    assert sharing(bob, ann)


def test_a_reload_ends_ones_share_and_keeps_that_of_others(pair: tuple[Person, Person]) -> None:
    ann, bob = pair
    press_share(ann)
    bob.sees(ann.id, origin="screen", frames=3)
    bob.page.reload()
    bob.until_in()
    bob.sees(ann.id, origin="screen", frames=3)
    bob.hears(ann.id, origin="screen-sound")
    ann.page.reload()
    ann.until_in()
    until(lambda: not sharing(ann, bob), "what a page shared ends with it")
    bob.sees(ann.id)

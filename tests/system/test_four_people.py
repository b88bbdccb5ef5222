"""Four people in one meeting: each sees and hears the three others, and who comes later finds everybody."""

import itertools

import pytest

from tests.system.browser import SMALL, Browser, Person, until
from tests.system.operated import Operated

pytestmark = pytest.mark.system
NAMES = ("Ann", "Bob", "Cy", "Di")


def test_each_of_four_sees_and_hears_the_others(quorum: Operated, browser: Browser) -> None:
    people = [Person(browser, name, SMALL) for name in NAMES]
    try:
        for person in people:
            person.enter(quorum.url, "hello")
        for one, other in itertools.permutations(people, 2):
            one.sees(other.id, frames=5)
            one.hears(other.id)
        gone, *others = people
        left = gone.id
        gone.page.evaluate("window.quorum.engine.leave()")
        until(lambda: all(person.person(left) is None for person in others), "all see that Ann left")
        for person in others:
            assert [p["name"] for p in person.state()["people"]] == ["Bob", "Cy", "Di"]
        for one, other in itertools.permutations(others, 2):
            one.sees(other.id, frames=5)
            one.hears(other.id)
        for person in people:
            person.calm()
    finally:
        quorum.end_meetings()
        for person in people:
            person.page.close()

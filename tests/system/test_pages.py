"""Twelve people, more than fit on a page: what is shown is sent, and turning the page shows the others."""

import pytest

from tests.system.bots import Crowd
from tests.system.browser import SMALL, Browser, Person, until
from tests.system.operated import Operated

pytestmark = pytest.mark.system
BOTS = 11


def seen(person: Person) -> set[str]:
    """Whose cameras have a seat in this page."""
    return {s["participantId"] for s in (person.stats() or {"slots": []})["slots"] if s["origin"] == "camera"}


def test_turning_the_page_shows_the_others(quorum: Operated, browser: Browser) -> None:
    with Crowd(f"127.0.0.1:{quorum.port}", "hello") as crowd:
        for number in range(BOTS):
            crowd.add(f"Bot {number:02}")
        everybody = {bot.id for bot in crowd.bots}
        ann = Person(browser, "Ann", SMALL).enter(quorum.url, "hello")
        try:
            until(lambda: len(ann.state()["people"]) == BOTS + 1, "Ann's page knows twelve")
            until(lambda: 0 < len(seen(ann)) < BOTS, "a page of them is shown")
            first = until(lambda: settled(ann), "the first page has come to rest")
            for of in first:
                ann.sees(of, frames=3)
            ann.page.get_by_role("button", name="Next page").click()
            until(lambda: everybody - first <= seen(ann), "those who were not shown are now")
            for of in everybody - first:
                ann.sees(of, frames=3)
            assert seen(ann) != everybody, "who is not shown is not sent"
            ann.page.get_by_role("button", name="Previous page").click()
            until(lambda: seen(ann) == first, "the first page is back")
            for of in first:
                ann.sees(of, frames=3)
            ann.calm()
        finally:
            quorum.end_meetings()
            ann.page.close()


def settled(person: Person) -> set[str]:
    """Who is shown, once as many pictures are decoded as have a seat."""
    shown = seen(person)
    moving = [entry for entry in person.inbound("video") if (entry.get("framesDecoded") or 0) > 5]
    return shown if shown and len(moving) == len(shown) else set()

"""The gate through the page: one waits, is let in, is shown large, is sent outside, and is kept out."""

import pytest
from playwright.sync_api import expect

from tests.system.browser import SMALL, Browser, Person, until
from tests.system.operated import Operated

pytestmark = pytest.mark.system


def knock(browser: Browser, url: str, name: str, passcode: str = "") -> Person:
    """Somebody asks to come in, through the lobby."""
    person = Person(browser, name, SMALL)
    person.page.goto(f"{url}/r/hello/")
    person.page.locator("input#name").fill(name)
    person.page.locator("form button[type=submit]").click()
    if passcode:
        person.page.locator("input#passcode").fill(passcode)
        person.page.locator("form button[type=submit]").click()
    return person


def test_a_host_lets_in_shows_sends_outside_and_keeps_out(quorum: Operated, browser: Browser) -> None:
    room = "/api/v1/rooms/hello/"
    # The host is a guest whom the operator promotes: then both are strangers in one browser.
    host = Person(browser, "Olga", SMALL).enter(quorum.url, "hello")
    people: list[Person] = [host]
    try:
        meeting = f"/api/v1/meetings/{quorum.open_meeting()}/"
        quorum.post(f"{meeting}participants/{host.id}/set-role/", {"role": "host"})
        quorum.ask("PATCH", room, {"lobby": "guests"})
        ann = knock(browser, quorum.url, "Ann")
        people.append(ann)
        expect(ann.page.get_by_text("You are in the waiting room")).to_be_visible()
        host.page.locator("[data-control=people]").click()
        admit = host.page.get_by_role("button", name="Admit Ann")
        admit.click()
        ann.until_in()
        host.sees(ann.id)
        ann.hears(host.id)

        more = host.page.get_by_role("button", name="Actions for Ann")
        more.click()
        host.page.get_by_role("menuitem", name="Show large to everybody").click()
        until(lambda: ann.state()["spotlight"] == ann.id, "everybody sees Ann large")
        more.click()
        host.page.get_by_role("menuitem", name="Move to the waiting room").click()
        expect(ann.page.get_by_text("You are in the waiting room")).to_be_visible()
        until(lambda: [person["name"] for person in host.state()["people"]] == ["Olga"], "Ann is outside")
        admit.click()
        ann.until_in()
        host.sees(ann.id)
        host.hears(ann.id)

        quorum.ask("PATCH", room, {"lobby": "nobody", "passcode": "open sesame"})
        bob = knock(browser, quorum.url, "Bob", "open sesame")
        people.append(bob)
        bob.until_in()
        host.page.get_by_role("button", name="Lock the meeting").click()
        until(lambda: bob.state()["locked"], "everybody knows that it is locked")
        more.click()
        host.page.get_by_role("menuitem", name="Remove and keep out").click()
        host.page.get_by_role("alertdialog").get_by_role("button", name="Remove and keep out").click()
        expect(ann.page.get_by_text("You were removed from the meeting")).to_be_visible()
        quorum.post(f"{meeting}unlock/")
        again = knock(browser, quorum.url, "Somebody else", "open sesame")
        people.append(again)
        expect(again.page.get_by_text("A host keeps you out of this meeting.")).to_be_visible()
        for person in people:
            person.calm()
    finally:
        quorum.ask("PATCH", room, {"lobby": "nobody", "passcode": ""})
        quorum.end_meetings()
        for person in people:
            person.page.close()

"""Two people talk, through the page, in real Chromium, over a whole Quorum: the main job."""

import json
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright

from tests.system.browser import Browser, Person, until
from tests.system.operated import Operated

pytestmark = pytest.mark.system


@pytest.fixture(params=["VP8", "H264"])
def pair(request: pytest.FixtureRequest, quorum: Operated, browser: Browser) -> Iterator[tuple[Person, Person]]:
    """Ann and Bob in a fresh meeting, with this codec."""
    query = f"?codec={request.param}"
    ann = Person(browser, "Ann").enter(quorum.url, "hello", query)
    bob = Person(browser, "Bob").enter(quorum.url, "hello", query)
    try:
        yield ann, bob
        ann.calm()
        bob.calm()
    finally:
        quorum.end_meetings()
        ann.page.close()
        bob.page.close()


def codec_of(person: Person) -> str:
    stats = person.stats()
    assert stats is not None
    codecs = {entry["id"]: entry["mimeType"] for entry in stats["inbound"] if entry["type"] == "codec"}
    (video,) = [entry for entry in person.inbound("video") if entry.get("framesDecoded")]
    return str(codecs[video["codecId"]]).removeprefix("video/")


def test_they_see_and_hear_each_other_in_720p_with_lips_in_sync(
    pair: tuple[Person, Person], request: pytest.FixtureRequest
) -> None:
    ann, bob = pair
    for one, other in ((ann, bob), (bob, ann)):
        one.sees(other.id, frames=20)
        one.hears(other.id)
        until(lambda a=one, b=other: a.total("video", "frameHeight", b.id) == 720, f"{one.name} sees 720p")
        until(lambda a=one, b=other: lips_apart_ms(a, b.id) < 80, f"lips in sync for {one.name}")
    assert codec_of(ann) == codec_of(bob) == request.node.callspec.params["pair"]


def lips_apart_ms(person: Person, of: str) -> float:
    """How far sound and picture that play at the same moment were apart when they were taken."""
    times = [
        entry["estimatedPlayoutTimestamp"]
        for kind in ("audio", "video")
        for entry in person.inbound(kind, of)
        if entry.get("estimatedPlayoutTimestamp")
    ]
    return abs(times[0] - times[1]) if len(times) == 2 else float("inf")


def test_a_mute_by_rest_is_heard_and_shown_and_undone(pair: tuple[Person, Person], quorum: Operated) -> None:
    ann, bob = pair
    ann.hears(bob.id)
    meeting = quorum.open_meeting()
    answer = quorum.post(f"/api/v1/meetings/{meeting}/participants/{bob.id}/mute/")
    assert answer["outcome"] == "applied"
    until(lambda: (ann.person(bob.id) or {})["muted"], "Ann's page shows Bob muted")
    until(lambda: (bob.person(bob.id) or {})["muted"], "Bob's page knows it")
    still = until(lambda: silent(ann, bob.id), "nothing of Bob reaches Ann")
    assert still
    ann.sees(bob.id)
    asked = quorum.post(f"/api/v1/meetings/{meeting}/participants/{bob.id}/unmute/")
    assert asked["outcome"] == "requested"
    bob.page.get_by_text("asks you to unmute").last.wait_for()
    bob.page.get_by_role("button", name="Unmute").first.click()
    until(lambda: not (ann.person(bob.id) or {})["muted"], "Ann's page shows Bob unmuted")
    ann.hears(bob.id)


def silent(person: Person, of: str) -> bool:
    """No packet of somebody's sound arrives while twenty of their picture do."""
    before = person.total("audio", "packetsReceived", of)
    pictures = person.total("video", "packetsReceived", of)
    until(lambda: person.total("video", "packetsReceived", of) > pictures + 20, "pictures flow")
    return person.total("audio", "packetsReceived", of) == before


def test_a_reload_comes_back_by_itself_and_misses_nothing(pair: tuple[Person, Person]) -> None:
    ann, bob = pair
    ann.sees(bob.id)
    me = bob.id
    say(ann, "before")
    until(lambda: texts(bob) == ["before"], "Bob reads")
    bob.page.reload()
    say(ann, "meanwhile")
    bob.until_in()
    assert bob.id == me
    say(ann, "after")
    until(lambda: texts(bob) == ["before", "meanwhile", "after"], "Bob has read everything once")
    until(lambda: texts(ann) == texts(bob), "Ann, too")
    ann.sees(me)
    bob.sees(ann.id)
    assert [p["id"] for p in ann.state()["people"]] == [p["id"] for p in bob.state()["people"]]


def say(person: Person, text: str) -> None:
    person.page.evaluate("text => window.quorum.engine.say(text)", text)


def texts(person: Person) -> list[str]:
    return [message["text"] for message in person.state()["chat"]]


def test_a_camera_switched_off_goes_dark_for_the_other_and_comes_back(pair: tuple[Person, Person]) -> None:
    ann, bob = pair
    ann.sees(bob.id)
    bob.page.keyboard.press("v")
    until(lambda: not (ann.person(bob.id) or {"camera_on": True})["cameraOn"], "Ann's page shows Bob's camera off")
    bob.page.keyboard.press("v")
    until(lambda: (ann.person(bob.id) or {})["cameraOn"], "Ann's page shows Bob's camera on")
    ann.sees(bob.id)


def test_without_camera_and_microphone_one_still_gets_in_and_sees(
    quorum: Operated, playwright: Playwright, browser: Browser
) -> None:
    denied = Browser(playwright)
    ann = Person(browser, "Ann").enter(quorum.url, "hello")
    cy = Person(denied, "Cy")
    cy.page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () =>"
        " Promise.reject(new DOMException('Permission denied', 'NotAllowedError'))"
    )
    try:
        cy.enter(quorum.url, "hello")
        cy.sees(ann.id)
        cy.hears(ann.id)
        cy.calm()
    finally:
        quorum.end_meetings()
        ann.page.close()
        denied.close()


def test_the_relay_is_in_the_metrics_while_they_talk(pair: tuple[Person, Person], quorum: Operated) -> None:
    ann, bob = pair
    ann.sees(bob.id)

    def figures() -> dict[str, float]:
        with urllib.request.urlopen(f"{quorum.url}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("quorum_")}

    node = f'node="{quorum.node}-0"'
    until(lambda: figures().get(f'quorum_relay_now{{{node},what="connections"}}') == 4, "four connections are shown")
    until(lambda: figures().get(f'quorum_relay_total{{{node},what="packets_out"}}', 0) > 100, "packets are counted")


def test_unknown_rooms_and_ended_meetings_are_explained(quorum: Operated, browser: Browser) -> None:
    page = browser.page()
    answer = page.goto(f"{quorum.url}/r/nowhere/")
    assert answer is not None
    assert answer.status == 404
    ann = Person(browser, "Ann").enter(quorum.url, "hello")
    quorum.end_meetings()
    ann.page.get_by_text("The meeting is over").first.wait_for()
    ann.calm()
    ann.page.close()
    page.close()


def test_json_of_the_state_is_the_fresh_state(pair: tuple[Person, Person], quorum: Operated) -> None:
    """What a page made of the journal's lines is what a newcomer is told at once."""
    ann, bob = pair
    ann.sees(bob.id)
    meeting = quorum.open_meeting()
    say(ann, "one")
    quorum.post(f"/api/v1/meetings/{meeting}/participants/{ann.id}/mute/")
    until(lambda: (bob.person(ann.id) or {})["muted"] and texts(bob) == ["one"], "Bob's page is up to date")
    before = json.dumps(bob.state(), sort_keys=True)
    bob.page.reload()
    bob.until_in()
    until(lambda: bob.state()["sequence"] >= json.loads(before)["sequence"], "Bob is told the state")
    assert json.dumps(bob.state(), sort_keys=True) == before

"""A server dies in a call, and nobody clicks: the page comes back by itself."""

import os
import signal

import pytest

from tests.system.browser import Browser, Person, until
from tests.system.operated import Operated

pytestmark = pytest.mark.system


@pytest.mark.parametrize("victim", ["relay", "media worker", "web", "store", "worker", "beat"])
def test_the_call_goes_on_after_a_kill(victim: str, quorum: Operated, browser: Browser) -> None:
    ann = Person(browser, "Ann").enter(quorum.url, "hello")
    bob = Person(browser, "Bob").enter(quorum.url, "hello")
    try:
        ann.sees(bob.id)
        quorum.post(f"/api/v1/meetings/{quorum.open_meeting()}/participants/{ann.id}/mute/")
        until(lambda: (bob.person(ann.id) or {})["muted"], "Ann is muted")
        epoch = ann.state()["epoch"]
        os.kill(pid_of(victim, quorum), signal.SIGKILL)
        if victim in ("relay", "media worker"):
            until(lambda: (ann.stats() or {})["receiveEpoch"] > epoch, "Ann's page follows the relay")
            until(lambda: (bob.stats() or {})["receiveEpoch"] > epoch, "Bob's page follows the relay")
        quorum.until_ready()
        ann.sees(bob.id)
        bob.sees(ann.id)
        ann.hears(bob.id)
        ann.page.evaluate("window.quorum.engine.say('still here')")
        until(lambda: [m["text"] for m in bob.state()["chat"]] == ["still here"], "Bob reads it, once")
        people = [person["name"] for person in bob.state()["people"]]
        assert sorted(people) == ["Ann", "Bob"]
        assert (bob.person(ann.id) or {})["muted"], "a mute outlives the server that carried it"
        ann.calm()
        bob.calm()
    finally:
        quorum.end_meetings()
        ann.page.close()
        bob.page.close()


def pid_of(victim: str, quorum: Operated) -> int:
    """The relay is the pool process of the media worker."""
    if victim == "relay":
        return max(pid for pid, name in quorum.processes().items() if name == "media-0")
    return quorum.child({"media worker": "media-0", "web": "web", "store": "valkey"}.get(victim, victim))

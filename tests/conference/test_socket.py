"""The meeting socket: coming in, being told, being refused."""

from typing import Any

import pytest
from channels.db import database_sync_to_async

from conference import services

pytestmark = pytest.mark.servers


async def test_two_people_join_and_each_hears_of_the_other(live_scene: Any, open_socket: Any) -> None:
    ann, bob = [await database_sync_to_async(live_scene.admit)(name) for name in ("Ann", "Bob")]
    first = await open_socket(live_scene.meeting_id)
    welcome = await first.join(ann.ticket)
    assert [person["name"] for person in welcome["state"]["people"]] == ["Ann"]
    assert (welcome["participantId"], welcome["role"]) == (str(ann.participant_id), "guest")
    second = await open_socket(live_scene.meeting_id)
    welcome = await second.join(bob.ticket)
    assert [person["name"] for person in welcome["state"]["people"]] == ["Ann", "Bob"]
    joined = await first.hear("joined")
    assert joined["person"]["name"] == "Bob"
    assert joined["sequence"] == welcome["state"]["sequence"]


async def test_a_mute_by_a_service_reaches_every_socket_at_once(live_scene: Any, open_socket: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    browser = await open_socket(live_scene.meeting_id)
    await browser.join(ann.ticket)
    outcome = await database_sync_to_async(services.set_muted)(
        actor=live_scene.actor("host"),
        meeting_id=live_scene.meeting_id,
        participant_id=ann.participant_id,
        muted=True,
    )
    assert outcome == "applied"
    muted = await browser.hear("muted")
    assert (muted["participantId"], muted["muted"], muted["by"]) == (str(ann.participant_id), True, "host")


async def test_chat_is_told_to_everybody_once(live_scene: Any, open_socket: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    browser = await open_socket(live_scene.meeting_id)
    await browser.join(ann.ticket)
    for _ in range(2):
        await browser.say("say", id="one", text="hello")
        await browser.hear("done", id="one", outcome="applied")
    await browser.say("say", id="two", text="again")
    await browser.hear("said", id="two")
    assert [m["text"] for m in browser.told if m["type"] == "said"] == ["hello", "again"]

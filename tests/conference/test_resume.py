"""A browser that lost its socket misses nothing, and a hub that lost a line finds it."""

from typing import Any

import pytest
from channels.db import database_sync_to_async

from common import events
from conference import selectors, services

pytestmark = pytest.mark.servers


def sequences(browser: Any) -> list[int]:
    return [message["sequence"] for message in browser.told if "sequence" in message and message["type"] != "headed"]


async def mute(scene: Any, who: Any, muted: bool) -> None:
    await database_sync_to_async(services.set_muted)(
        actor=selectors.Actor(participant_id=who.participant_id),
        meeting_id=scene.meeting_id,
        participant_id=who.participant_id,
        muted=muted,
    )


async def test_who_comes_back_is_told_the_rest_once(live_scene: Any, open_socket: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    first = await open_socket(live_scene.meeting_id)
    seen = (await first.join(ann.ticket))["state"]["sequence"]
    await first.socket.disconnect()
    for muted in (True, False, True):
        await mute(live_scene, ann, muted)
    second = await open_socket(live_scene.meeting_id)
    welcome = await second.join(ann.ticket, seen=seen)
    assert welcome["state"] is None
    await mute(live_scene, ann, False)
    await second.hear("muted", sequence=seen + 4)
    assert sequences(second) == [seen + 1, seen + 2, seen + 3, seen + 4]


async def test_who_has_seen_what_never_was_is_given_the_state(live_scene: Any, open_socket: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    browser = await open_socket(live_scene.meeting_id)
    assert (await browser.join(ann.ticket, seen=999))["state"] is not None


async def test_a_resume_inside_says_the_lines_again(live_scene: Any, open_socket: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    browser = await open_socket(live_scene.meeting_id)
    await browser.join(ann.ticket)
    await mute(live_scene, ann, True)
    await browser.hear("muted")
    await browser.say("resume", seen=0)
    await browser.hear("started")
    await browser.hear("muted")


async def test_a_lost_line_arrives_with_the_next_one(
    live_scene: Any, open_socket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    browser = await open_socket(live_scene.meeting_id)
    start = (await browser.join(ann.ticket))["state"]["sequence"]
    with monkeypatch.context() as patch:
        patch.setattr(events, "publish_on_commit", lambda *_: None)
        await mute(live_scene, ann, True)
    await mute(live_scene, ann, False)
    await browser.hear("muted", sequence=start + 2)
    assert sequences(browser)[-2:] == [start + 1, start + 2]


async def test_a_lost_last_line_arrives_with_the_beat(
    live_scene: Any, open_socket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    browser = await open_socket(live_scene.meeting_id)
    start = (await browser.join(ann.ticket))["state"]["sequence"]
    with monkeypatch.context() as patch:
        patch.setattr(events, "publish_on_commit", lambda *_: None)
        await mute(live_scene, ann, True)
    await browser.hear("muted", sequence=start + 1)
    await browser.hear("headed", sequence=start + 1)


async def test_an_emptied_redis_heals(live_scene: Any, open_socket: Any, valkey: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    browser = await open_socket(live_scene.meeting_id)
    await browser.join(ann.ticket)
    valkey.flushdb()
    await browser.hear("headed")
    await browser.hear("headed")
    await events.deliver(selectors.group_of(ann.participant_id), {"type": "relay.said", "text": '{"type":"passing"}'})
    await browser.hear("passing")
    assert valkey.exists(f"quorum:presence:{ann.participant_id}")

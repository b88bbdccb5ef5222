"""Relay hosts and their meetings: taken, drained, contested; no sockets are needed for who carries what."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import pytest
from channels.db import database_sync_to_async

from conference import relays, selectors, services
from conference.hosting import RelayHost
from media import control

pytestmark = pytest.mark.servers

Hosts = Callable[[], RelayHost]


@pytest.fixture
async def new_host(live_scene: Any) -> AsyncIterator[Hosts]:
    """Relay hosts of different workers, never started: they are asked to do one chore at a time."""
    from asgiref.sync import sync_to_async
    from django.db import connections

    from common.store import async_store

    slots = count()
    yield lambda: RelayHost(slot=next(slots))
    await sync_to_async(connections.close_all)()
    await async_store().aclose()


async def epoch_of(meeting_id: Any) -> int:
    plan = await database_sync_to_async(selectors.relay_plan)(meeting_id)
    assert plan is not None
    return plan.epoch


async def test_who_takes_a_meeting_gets_lease_and_epoch_and_the_old_relay_lingers(
    live_scene: Any, valkey: Any, new_host: Hosts
) -> None:
    meeting, old, new = str(live_scene.meeting_id), new_host(), new_host()
    assert await old._adopt(meeting)
    assert not await new._adopt(meeting), "somebody carries it"
    assert await new._adopt(meeting, drained=True)
    assert valkey.get(relays.lease_key(meeting)) == new.relay_id
    assert (old._epochs, new._epochs) == ({meeting: 1}, {meeting: 2})
    await old._beat()
    assert old._epochs == {}
    assert old.relay.lingering == {meeting}
    assert valkey.get(relays.lease_key(meeting)) == new.relay_id
    lines = await database_sync_to_async(selectors.lines_after)(live_scene.meeting_id, 0)
    assert '"type":"moved"' in lines[-1][1]
    assert '"reason":"drained"' in lines[-1][1]
    # What is wished later holds for what still flows; at the meeting's end nothing does.
    await old._restrain()
    assert old.relay.lingering == {meeting}
    await database_sync_to_async(services.end_meeting)(actor=live_scene.actor("host"), meeting_id=live_scene.meeting_id)
    await old._restrain()
    assert old.relay.lingering == frozenset()


async def test_a_node_that_is_drained_shows_it_and_takes_nothing(live_scene: Any, valkey: Any, new_host: Hosts) -> None:
    meeting, host = str(live_scene.meeting_id), new_host()
    valkey.set(relays.draining_key(host.node), 1)
    await host._beat()
    shown = relays.node_decoder.decode(valkey.get(relays.node_key(host.node)))
    assert shown.draining
    assert not await host._adopt(meeting)
    assert not await host._adopt(meeting, drained=True)
    await host._read_plans()
    assert host._epochs == {}
    valkey.delete(relays.draining_key(host.node))
    await host._beat()
    await host._read_plans()
    assert host._epochs == {meeting: 1}


async def test_a_lease_without_a_higher_epoch_changes_nothing_and_is_taken_back(
    live_scene: Any, valkey: Any, new_host: Hosts
) -> None:
    meeting, host = str(live_scene.meeting_id), new_host()
    assert await host._adopt(meeting)
    valkey.set(relays.lease_key(meeting), "an impostor")
    await host._beat()
    assert host._epochs == {meeting: 1}
    assert valkey.get(relays.lease_key(meeting)) == "an impostor"
    valkey.delete(relays.lease_key(meeting))
    await host._beat()
    assert valkey.get(relays.lease_key(meeting)) == host.relay_id


async def test_of_two_that_believe_they_own_a_meeting_the_one_with_the_lower_epoch_yields(
    live_scene: Any, valkey: Any, new_host: Hosts
) -> None:
    meeting, stale, present = str(live_scene.meeting_id), new_host(), new_host()
    assert await stale._adopt(meeting)
    valkey.delete(relays.lease_key(meeting))
    assert await present._adopt(meeting)
    for host in (stale, present, stale):
        await host._beat()
        await host._read_plans()
    assert (stale._epochs, present._epochs) == ({}, {meeting: 2})
    assert valkey.get(relays.lease_key(meeting)) == present.relay_id


async def test_a_meeting_that_is_over_is_not_taken_and_its_lease_is_let_go(
    live_scene: Any, valkey: Any, new_host: Hosts
) -> None:
    meeting, host = str(live_scene.meeting_id), new_host()
    await database_sync_to_async(services.end_meeting)(actor=live_scene.actor("host"), meeting_id=live_scene.meeting_id)
    assert not await host._adopt(meeting, drained=True)
    assert valkey.get(relays.lease_key(meeting)) is None
    assert host._epochs == {}


async def test_what_a_page_shows_reaches_the_relay_under_whatever_epoch_it_has(
    live_scene: Any, new_host: Hosts
) -> None:
    meeting, host = str(live_scene.meeting_id), new_host()
    ann = str(await database_sync_to_async(live_scene.enter)("Ann"))
    words: list[control.Command] = []
    view = control.View(ann, "camera", 180)
    watch = control.Watch(control.VERSION, meeting, 7, ann, (view,))
    host._watch(watch)
    assert await host._adopt(meeting)
    perform, host.relay.perform = host.relay.perform, words.append  # type: ignore[method-assign, assignment]
    host._watch(watch)
    perform(words[0])
    assert words == [control.Watch(control.VERSION, meeting, await epoch_of(live_scene.meeting_id), ann, (view,))]
    assert host.relay._meetings[meeting].router._members[ann].views == (view,)


async def test_words_that_are_forged_or_said_again_change_nothing_and_hide_no_others(
    live_scene: Any, valkey: Any, new_host: Hosts
) -> None:
    meeting, host = str(live_scene.meeting_id), new_host()
    nobody = "00000000-0000-7000-8000-000000000000"
    words = [
        "not a word",
        '{"kind":"overthrow","meeting_id":"x"}',
        '{"kind":"take","meeting_id":"no number of a meeting"}',
        f'{{"kind":"wake","meeting_id":"{nobody}"}}',
        f'{{"kind":"take","meeting_id":"{nobody}"}}',
        *[f'{{"kind":"wake","meeting_id":"{meeting}"}}'] * 50,
    ]
    inbox = relays.inbox_key(host.relay_id)
    valkey.rpush(inbox, *words)
    listening = asyncio.create_task(host._listen())
    try:
        async with asyncio.timeout(5):
            while await asyncio.to_thread(valkey.exists, inbox) or meeting not in host._epochs:
                pass
    finally:
        host._stop.set()
        await listening
    assert host._epochs == {meeting: 1}
    assert await epoch_of(live_scene.meeting_id) == 1, "fifty wakes are one taking"
    assert valkey.get(relays.lease_key(nobody)) is None


async def test_an_answer_of_a_relay_that_carries_the_meeting_no_more_is_not_passed_on(
    live_scene: Any, open_socket: Any, valkey: Any, new_host: Hosts
) -> None:
    meeting, old, new = str(live_scene.meeting_id), new_host(), new_host()
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    browser = await open_socket(live_scene.meeting_id)
    await browser.join(ann.ticket)
    assert await old._adopt(meeting)
    assert await new._adopt(meeting, drained=True)
    await browser.hear("moved", epoch=2)
    for epoch, expected in ((1, "refused"), (7, "refused"), (2, "answered")):
        offer_id = f"offer-{epoch}"
        await browser.say("offer", id=offer_id, connection="receive", sdp="v=0")
        channel = await reply_channel(valkey, new)
        number = old._teller.expect(channel, offer_id)
        old._teller.heard(control.Negotiated(number, meeting, epoch, str(ann.participant_id), "receive", "v=0"))
        await old._teller.tell()
        heard = await browser.hear(expected, id=offer_id)
        assert heard.get("code", "relay.unavailable") == "relay.unavailable"


async def reply_channel(valkey: Any, host: RelayHost) -> str:
    """Of the next offer that reaches a relay."""
    _, word = await asyncio.to_thread(valkey.blpop, relays.inbox_key(host.relay_id), 5)
    call = relays.heard_decoder.decode(word)
    assert isinstance(call, relays.Call)
    return call.reply_channel

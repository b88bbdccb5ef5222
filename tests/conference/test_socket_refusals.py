"""Everything that a socket may do wrong: one stable code each, and nobody else notices."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async

from accounts import tickets
from common.clock import now
from conference import selectors, services
from conference.protocol import MAX_FRAME_BYTES

pytestmark = pytest.mark.servers


async def refused_at_join(open_socket: Any, meeting_id: Any, ticket: str) -> tuple[str, int]:
    browser = await open_socket(meeting_id)
    await browser.say("join", ticket=ticket)
    code = (await browser.hear("refused"))["code"]
    return code, await browser.hung_up()


async def test_a_ticket_that_is_none_of_ours_is_refused(live_scene: Any, open_socket: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    meeting = live_scene.meeting_id
    for forged in ("", "nonsense", ann.ticket[:-1], ann.ticket + "x", "é"):
        assert await refused_at_join(open_socket, meeting, forged) == ("ticket.invalid", 4401)


async def test_a_ticket_to_another_meeting_is_refused(live_scene: Any, open_socket: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    assert await refused_at_join(open_socket, uuid4(), ann.ticket) == ("ticket.invalid", 4401)


async def test_an_expired_ticket_is_refused(live_scene: Any, open_socket: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    old = tickets.sign(tickets.Ticket(ann.participant_id, ann.meeting_id, "guest", now() - timedelta(seconds=1)))
    assert await refused_at_join(open_socket, live_scene.meeting_id, old) == ("ticket.expired", 4401)


async def test_an_unknown_meeting_is_refused_even_with_a_good_signature(live_scene: Any, open_socket: Any) -> None:
    nowhere = uuid4()
    ticket = tickets.sign(tickets.Ticket(uuid4(), nowhere, "guest", now() + timedelta(hours=1)))
    assert await refused_at_join(open_socket, nowhere, ticket) == ("meeting.unknown", 4404)


async def test_an_ended_meeting_is_refused(live_scene: Any, open_socket: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    await database_sync_to_async(services.end_meeting)(actor=live_scene.actor("host"), meeting_id=live_scene.meeting_id)
    assert await refused_at_join(open_socket, live_scene.meeting_id, ann.ticket) == ("meeting.over", 4409)


async def test_a_revoked_ticket_is_refused_and_the_removed_one_hung_up_on(live_scene: Any, open_socket: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    browser = await open_socket(live_scene.meeting_id)
    await browser.join(ann.ticket)
    await database_sync_to_async(services.remove_participant)(
        actor=live_scene.actor("host"), meeting_id=live_scene.meeting_id, participant_id=ann.participant_id
    )
    assert (await browser.hear("refused"))["code"] == "participant.removed"
    assert await browser.hung_up() == 4403
    assert await refused_at_join(open_socket, live_scene.meeting_id, ann.ticket) == ("ticket.revoked", 4401)


async def test_a_full_meeting_is_refused(live_scene: Any, open_socket: Any) -> None:
    ann, bob = [await database_sync_to_async(live_scene.admit)(name) for name in ("Ann", "Bob")]
    live_scene.room.capacity = 1
    await database_sync_to_async(live_scene.room.save)()
    first = await open_socket(live_scene.meeting_id)
    await first.join(ann.ticket)
    assert await refused_at_join(open_socket, live_scene.meeting_id, bob.ticket) == ("meeting.full", 4409)


async def test_the_end_of_a_meeting_hangs_up_on_everybody(live_scene: Any, open_socket: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    browser = await open_socket(live_scene.meeting_id)
    await browser.join(ann.ticket)
    await database_sync_to_async(services.end_meeting)(actor=live_scene.actor("host"), meeting_id=live_scene.meeting_id)
    await browser.hear("ended")
    assert await browser.hung_up() == 4409


async def test_bad_messages_are_refused_and_others_notice_nothing(live_scene: Any, open_socket: Any) -> None:
    ann, bob = [await database_sync_to_async(live_scene.admit)(name) for name in ("Ann", "Bob")]
    good, bad = await open_socket(live_scene.meeting_id), await open_socket(live_scene.meeting_id)
    await good.join(ann.ticket)
    await bad.say("say", id="early", text="x")
    assert (await bad.hear("refused", id="early"))["code"] == "session.out-of-turn"
    await bad.join(bob.ticket)
    await good.hear("joined")
    heard = len(good.told)
    nobody = str(uuid4())
    for text, code in (
        ("{", "message.malformed"),
        ('{"type":"nonsense"}', "message.malformed"),
        (json.dumps({"type": "join", "ticket": bob.ticket}), "session.out-of-turn"),
        (json.dumps({"type": "mute", "participantId": str(ann.participant_id), "muted": True}), "meeting.host-only"),
        (json.dumps({"type": "mute", "participantId": nobody, "muted": True}), "participant.unknown"),
        (json.dumps({"type": "mute", "participantId": "x", "muted": True}), "participant.unknown"),
        (json.dumps({"type": "end"}), "meeting.host-only"),
        (json.dumps({"type": "say", "id": "1", "text": " "}), "message.blank"),
        (json.dumps({"type": "offer", "id": "o", "connection": "send", "sdp": "v=0"}), "relay.unavailable"),
    ):
        await bad.socket.send_to(text_data=text)
        assert (await bad.hear("refused"))["code"] == code, text
    await bad.socket.send_to(bytes_data=b"\x00")
    assert (await bad.hear("refused"))["code"] == "message.binary"
    await bad.socket.send_to(text_data="x" * (MAX_FRAME_BYTES + 1))
    assert (await bad.hear("refused"))["code"] == "message.too-large"
    assert await bad.hung_up() == 4400
    await good.say("say", id="still", text="here")
    await good.hear("done", id="still")
    assert {message["type"] for message in good.told[heard:]} <= {"said", "done", "headed"}


async def test_too_many_messages_are_refused(live_scene: Any, open_socket: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    browser = await open_socket(live_scene.meeting_id)
    await browser.join(ann.ticket)
    for _ in range(70):
        await browser.socket.send_to(text_data="{}")
    await browser.hear("refused", code="messages.too-many")


async def test_the_newer_window_of_one_person_wins(live_scene: Any, open_socket: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    older = await open_socket(live_scene.meeting_id)
    await older.join(ann.ticket)
    newer = await open_socket(live_scene.meeting_id)
    await newer.join(ann.ticket)
    assert (await older.hear("refused"))["code"] == "session.replaced"
    assert await older.hung_up() == 4409
    await newer.say("say", id="1", text="hello")
    await newer.hear("said", id="1")
    lines = await database_sync_to_async(selectors.lines_after)(live_scene.meeting_id, 0)
    assert sum('"type":"joined"' in text for _, text in lines) == 1


async def test_an_offer_that_no_relay_answers_is_refused_by_its_id(live_scene: Any, open_socket: Any) -> None:
    from common.store import async_store
    from conference.relays import lease_key

    ann = await database_sync_to_async(live_scene.admit)("Ann")
    await async_store().set(lease_key(str(live_scene.meeting_id)), "deaf")
    browser = await open_socket(live_scene.meeting_id)
    await browser.join(ann.ticket)
    async with asyncio.timeout(5):
        await browser.say("offer", id="o1", connection="receive", sdp="v=0")
        assert (await browser.hear("refused", id="o1"))["code"] == "relay.unavailable"


async def test_what_a_relay_says_is_passed_on_untouched(live_scene: Any, open_socket: Any) -> None:
    from common.events import deliver, publish_passing

    ann = await database_sync_to_async(live_scene.admit)("Ann")
    browser = await open_socket(live_scene.meeting_id)
    await browser.join(ann.ticket)
    await deliver(selectors.group_of(ann.participant_id), {"type": "relay.said", "text": '{"type":"slots-assigned"}'})
    await browser.hear("slots-assigned")
    await publish_passing(selectors.topic_of(live_scene.meeting_id), '{"type":"speakers-heard"}')
    await browser.hear("speakers-heard")


async def test_a_host_asks_and_the_person_is_asked(live_scene: Any, open_socket: Any) -> None:
    ann = await database_sync_to_async(live_scene.admit)("Ann")
    host = await database_sync_to_async(live_scene.admit)("Host", "host")
    hers, his = await open_socket(live_scene.meeting_id), await open_socket(live_scene.meeting_id)
    await hers.join(ann.ticket)
    await his.join(host.ticket)
    whom = str(ann.participant_id)
    await his.say("mute", participantId=whom, muted=True, id="1")
    await his.hear("done", id="1", outcome="applied")
    await his.say("mute", participantId=whom, muted=False, id="2")
    await his.hear("done", id="2", outcome="requested")
    asked = await hers.hear("requested")
    assert (asked["what"], asked["by"]) == ("unmute", str(host.participant_id))
    await hers.say("mute", participantId=whom, muted=False, id="3")
    await hers.hear("done", id="3", outcome="applied")

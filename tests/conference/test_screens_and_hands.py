"""Shared screens, raised hands, and what a page says that it shows."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from channels.db import database_sync_to_async
from rest_framework.test import APIClient

from common.clock import now
from common.errors import Forbidden
from conference import relays, selectors, services
from conference.selectors import Actor

pytestmark = pytest.mark.servers


def themselves(participant_id: Any) -> dict[str, Any]:
    return {"actor": Actor(participant_id=participant_id), "participant_id": participant_id}


def client_of(user: Any) -> APIClient:
    client = APIClient()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_screen_is_seated_only_while_it_is_shared(scene: Any) -> None:
    ann = scene.enter("Ann")

    def planned() -> list[bool]:
        plan = selectors.relay_plan(scene.meeting_id)
        assert plan is not None
        return [person.screen for person in plan.participants]

    assert planned() == [False]
    for _ in range(2):
        services.set_screen(meeting_id=scene.meeting_id, on=True, **themselves(ann))
    assert planned() == [True]
    assert selectors.lines_after(scene.meeting_id, 0)[-2][1].startswith('{"type":"joined"'), "told once"
    services.set_screen(meeting_id=scene.meeting_id, on=False, **themselves(ann))
    assert planned() == [False]


def test_hosts_end_the_screens_and_lower_the_hands_of_others_and_nobody_else_does(scene: Any) -> None:
    ann, bob = scene.enter("Ann"), scene.enter("Bob")
    meeting = {"meeting_id": scene.meeting_id}
    services.set_screen(on=True, **themselves(ann), **meeting)
    services.raise_hand(raised=True, **themselves(ann), **meeting)
    for by, whom, code in ((Actor(participant_id=bob), ann, "host-only"), (scene.actor("host"), bob, "own-only")):
        with pytest.raises(Forbidden) as no:
            services.set_screen(actor=by, participant_id=whom, on=True, **meeting)
        assert no.value.code.endswith(code)
        with pytest.raises(Forbidden) as no:
            services.raise_hand(actor=by, participant_id=whom, raised=True, **meeting)
        assert no.value.code.endswith(code)
    at = f"/api/v1/meetings/{scene.meeting_id}/participants/{ann}/"
    host = client_of(scene.host)
    assert {k: host.get(at).json()[k] is not None for k in ("sharing", "hand_raised_at")}
    for verb in ("stop-share", "lower-hand", "stop-share", "lower-hand"):
        assert host.post(f"{at}{verb}/").json() == {"outcome": "applied"}
    assert {k: host.get(at).json()[k] for k in ("sharing", "hand_raised_at")} == {
        "sharing": False,
        "hand_raised_at": None,
    }
    assert client_of(scene.member).post(f"{at}stop-share/").status_code == 403


def test_hands_are_called_in_the_order_in_which_they_went_up(scene: Any) -> None:
    people = [scene.enter(name) for name in ("Ann", "Bob", "Cem")]
    meeting = {"meeting_id": scene.meeting_id}
    for who in (people[2], people[0], people[1], people[2]):
        services.raise_hand(raised=True, **themselves(who), **meeting)
    at = f"/api/v1/meetings/{scene.meeting_id}/participants/?hand=raised"
    host = client_of(scene.host)
    assert [person["name"] for person in host.get(at).json()["results"]] == ["Cem", "Ann", "Bob"]
    services.raise_hand(raised=False, **themselves(people[2]), **meeting)
    services.raise_hand(raised=True, **themselves(people[2]), **meeting)
    assert [person["name"] for person in host.get(at).json()["results"]] == ["Ann", "Bob", "Cem"]


def test_who_leaves_takes_hand_and_screen_along(scene: Any) -> None:
    ticket = scene.admit("Ann")
    services.join_meeting(ticket=ticket.ticket, meeting_id=scene.meeting_id)
    meeting = {"meeting_id": scene.meeting_id}
    services.set_screen(on=True, **themselves(ticket.participant_id), **meeting)
    services.raise_hand(raised=True, **themselves(ticket.participant_id), **meeting)
    for later in (0, 11):
        services.note_absence(absent={ticket.participant_id}, at=now() + timedelta(seconds=later), **meeting)
    services.join_meeting(ticket=ticket.ticket, meeting_id=scene.meeting_id)
    (ann,) = selectors.state_of(scene.meeting_id).people
    assert (ann.sharing, ann.hand_raised_at) == (False, None)


async def test_screen_and_hand_by_socket(live_scene: Any, open_socket: Any) -> None:
    ann, bob = [await database_sync_to_async(live_scene.admit)(name) for name in ("Ann", "Bob")]
    hers, his = await open_socket(live_scene.meeting_id), await open_socket(live_scene.meeting_id)
    await hers.join(ann.ticket)
    await his.join(bob.ticket)
    me = str(ann.participant_id)
    await hers.say("switch-screen", participantId=me, on=True, id="1")
    await hers.hear("done", id="1", outcome="applied")
    await his.hear("screen-switched", participantId=me, on=True, by=me)
    await hers.say("raise-hand", participantId=me, raised=True, id="2")
    line = await his.hear("hand-raised", participantId=me, raised=True)
    (person,) = [
        p for p in (await database_sync_to_async(selectors.state_of)(live_scene.meeting_id)).people if p.id == me
    ]
    assert (person.sharing, person.hand_raised_at) == (True, line["at"])
    await his.say("raise-hand", participantId=me, raised=False, id="3")
    assert (await his.hear("refused", id="3"))["code"] == "meeting.host-only"


async def told(relay_id: str, enough: Callable[[list[Any]], bool]) -> list[Any]:
    """The views in a relay's inbox, once they are enough."""
    from common.store import async_store

    async with asyncio.timeout(5):
        while True:
            texts = await async_store().lrange(relays.inbox_key(relay_id), 0, -1)
            words = [relays.heard_decoder.decode(text) for text in texts]
            views = [word.command for word in words if isinstance(word, relays.Tell)]
            if enough(views):
                return views
            await asyncio.sleep(0.01)


async def test_what_a_page_shows_reaches_the_relay_the_last_for_certain(live_scene: Any, open_socket: Any) -> None:
    from common.store import async_store

    ann = await database_sync_to_async(live_scene.admit)("Ann")
    await database_sync_to_async(services.claim_meeting)(meeting_id=live_scene.meeting_id, node="m0")
    await async_store().set(relays.lease_key(str(live_scene.meeting_id)), "r1")
    browser = await open_socket(live_scene.meeting_id)
    await browser.join(ann.ticket)
    for height in range(30):
        await browser.say("watch", views=[{"participantId": "nobody", "origin": "camera", "heightPx": height}])
    words = await told("r1", lambda words: bool(words) and words[-1].views[0].height_px == 29)
    assert len(words) < 30, "many become few"
    assert msgspec.structs.asdict(words[-1]) | {"views": ()} == {
        "version": 1,
        "meeting_id": str(live_scene.meeting_id),
        "epoch": 1,
        "participant_id": str(ann.participant_id),
        "views": (),
    }
    lines = await database_sync_to_async(selectors.lines_after)(live_scene.meeting_id, 0)
    assert not any("watch" in text for _, text in lines)


async def test_views_that_no_relay_heard_are_told_again(live_scene: Any, open_socket: Any) -> None:
    from common.store import async_store

    ann = await database_sync_to_async(live_scene.admit)("Ann")
    browser = await open_socket(live_scene.meeting_id)
    await browser.join(ann.ticket)
    await browser.say("watch", views=[])
    await browser.say("resume", seen=0)
    await browser.hear("started")
    await database_sync_to_async(services.claim_meeting)(meeting_id=live_scene.meeting_id, node="m0")
    await browser.hear("moved")
    await async_store().set(relays.lease_key(str(live_scene.meeting_id)), "r1")
    words = await told("r1", bool)
    assert words[-1].epoch == 1

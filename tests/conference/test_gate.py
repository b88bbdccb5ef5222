"""Who may come in, who waits, who is kept out: lock, passcode, waiting room, ban, seats."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_thread

from common.errors import Conflict, Forbidden, Malformed, NotFound, Refusal, Unknown
from conference import selectors, services
from conference.models import Participant
from conference.selectors import Actor

pytestmark = pytest.mark.servers


def change(scene: Any, **settings: Any) -> None:
    from rooms.services import change_room

    change_room(actor_id=scene.host.pk, operator=False, slug=scene.room.slug, **settings)


def come(scene: Any, name: str, **given: Any) -> Any:
    """A stranger asks for a ticket."""
    passcode = given.pop("passcode", "")
    return services.issue_ticket(actor=Actor(**given), slug=scene.room.slug, name=name, passcode=passcode)


def enter(scene: Any, admission: Any) -> Any:
    return services.join_meeting(ticket=admission.ticket, meeting_id=scene.meeting_id)


def code_of(work: Callable[[], Any]) -> str:
    with pytest.raises(Refusal) as no:
        work()
    return no.value.code


def where(scene: Any, who: Any = None) -> dict[str, Any]:
    found = {"actor": scene.actor("host"), "meeting_id": scene.meeting_id}
    return found if who is None else {**found, "participant_id": who.participant_id}


def test_a_locked_meeting_lets_nobody_new_in_but_its_own_back_and_hosts(scene: Any) -> None:
    inside, invited = come(scene, "Ann"), come(scene, "Bob")
    enter(scene, inside)
    services.set_locked(locked=True, **where(scene))
    services.set_locked(locked=True, **where(scene))
    assert code_of(lambda: come(scene, "Cy")) == "meeting.locked"
    assert code_of(lambda: enter(scene, invited)) == "meeting.locked"
    enter(scene, inside)
    enter(scene, scene.admit("Host", "host"))
    assert [line for line in selectors.lines_after(scene.meeting_id, 0) if '"locked"' in line[1]].__len__() == 1
    services.set_locked(locked=False, **where(scene))
    enter(scene, invited)
    # Whom a host lets in from the waiting room comes in past the lock.
    services.move_to_lobby(**where(scene, invited))
    services.set_locked(locked=True, **where(scene))
    services.admit(admitted=True, **where(scene, invited))
    assert not enter(scene, invited).waiting


def test_a_passcode_is_asked_of_those_without_a_role_alone(scene: Any) -> None:
    from rooms.services import set_passcode

    whose = {"actor_id": scene.host.pk, "operator": False, "slug": scene.room.slug}
    room = set_passcode(passcode="a door 门", **whose)
    assert "door" not in room.passcode
    assert code_of(lambda: come(scene, "Ann")) == "room.passcode-needed"
    assert code_of(lambda: come(scene, "Ann", passcode="a door")) == "room.passcode-wrong"
    come(scene, "Ann", passcode="a door 门")
    scene.admit("Member", "member")
    for wrong in ("abc", "x" * 65, "line\nbreak"):
        assert code_of(partial(set_passcode, passcode=wrong, **whose)) == "room.passcode"
    assert code_of(lambda: set_passcode(**{**whose, "passcode": "open!", "actor_id": scene.member.pk})) == (
        "room.host-only"
    )
    set_passcode(passcode="", **whose)
    come(scene, "Bob")


@pytest.mark.parametrize(
    ("lobby", "waiting"), [("nobody", set()), ("guests", {"Guest"}), ("everybody", {"Guest", "M"})]
)
def test_the_waiting_room_is_for_whom_the_room_says_and_never_for_hosts(
    scene: Any, lobby: str, waiting: set[str]
) -> None:
    change(scene, lobby=lobby)
    for admission in (come(scene, "Guest"), scene.admit("M", "member"), scene.admit("H", "host")):
        enter(scene, admission)
    assert {person.name for person in selectors.waiting_in(scene.meeting_id)} == waiting
    state = selectors.state_of(scene.meeting_id)
    assert {person.name for person in state.people} == {"Guest", "M", "H"} - waiting


def test_who_waits_is_in_no_plan_and_may_nothing_until_admitted(scene: Any) -> None:
    change(scene, lobby="guests")
    ann = come(scene, "Ann")
    assert enter(scene, ann).waiting
    plan = selectors.relay_plan(scene.meeting_id)
    assert plan is not None
    assert plan.participants == ()
    herself = Actor(participant_id=ann.participant_id)
    for work in (
        lambda: services.say(actor=herself, meeting_id=scene.meeting_id, client_id="1", text="let me in"),
        lambda: services.set_muted(
            actor=herself, muted=False, meeting_id=scene.meeting_id, participant_id=ann.participant_id
        ),
        lambda: services.admit(
            actor=herself, meeting_id=scene.meeting_id, participant_id=ann.participant_id, admitted=True
        ),
        lambda: selectors.carrying_epoch(meeting_id=scene.meeting_id, participant_id=ann.participant_id),
    ):
        assert code_of(work) == "ticket.revoked"
    services.admit(admitted=True, **where(scene, ann))
    services.admit(admitted=False, **where(scene, ann))
    assert not enter(scene, ann).waiting
    plan = selectors.relay_plan(scene.meeting_id)
    assert plan is not None
    assert [one.id for one in plan.participants] == [str(ann.participant_id)]


def test_who_is_denied_stays_outside_and_all_the_others_may_be_let_in_at_once(scene: Any) -> None:
    change(scene, lobby="everybody")
    ann, bob, cy = (come(scene, name) for name in ("Ann", "Bob", "Cy"))
    for one in (ann, bob, cy):
        enter(scene, one)
    services.admit(admitted=False, **where(scene, ann))
    assert services.admit_all(**where(scene)) == 2
    assert code_of(lambda: enter(scene, ann)) == "participant.denied"
    assert [enter(scene, one).waiting for one in (bob, cy)] == [False, False]
    assert services.admit_all(**where(scene)) == 0
    with pytest.raises(NotFound):
        services.admit(admitted=True, **{**where(scene), "participant_id": scene.room.pk})


def test_somebody_sent_to_the_waiting_room_has_no_media_and_comes_back(scene: Any) -> None:
    ann = come(scene, "Ann")
    enter(scene, ann)
    services.set_spotlight(**where(scene, ann))
    services.move_to_lobby(**where(scene, ann))
    services.move_to_lobby(**where(scene, ann))
    plan = selectors.relay_plan(scene.meeting_id)
    assert plan is not None
    assert plan.participants == ()
    assert selectors.state_of(scene.meeting_id).spotlight is None
    assert enter(scene, ann).waiting
    services.admit(admitted=True, **where(scene, ann))
    assert not enter(scene, ann).waiting


def test_a_ban_holds_by_account_and_by_browser_but_not_for_others(scene: Any) -> None:
    member = scene.admit("Member", "member")
    guest = come(scene, "Eve", visitor="browser-of-eve")
    for one in (member, guest):
        enter(scene, one)
        services.remove_participant(ban=True, **where(scene, one))
        assert code_of(partial(enter, scene, one)) == "ticket.revoked"
    assert code_of(lambda: scene.admit("Another Name", "member")) == "participant.banned"
    assert code_of(lambda: come(scene, "Adam", visitor="browser-of-eve")) == "participant.banned"
    come(scene, "Eve", visitor="browser-of-adam")
    come(scene, "Eve")


def test_cohosts_may_do_nothing_to_hosts_and_make_none(scene: Any) -> None:
    host, helper, ann = scene.admit("Host", "host"), scene.admit("Helper", "member"), come(scene, "Ann")
    for one in (host, helper, ann):
        enter(scene, one)
    services.set_role(role="cohost", **where(scene, helper))
    by = Actor(participant_id=helper.participant_id)
    over_host = {"actor": by, "meeting_id": scene.meeting_id, "participant_id": host.participant_id}
    over_ann = {**over_host, "participant_id": ann.participant_id}
    assert code_of(lambda: services.remove_participant(**over_host)) == "participant.host"
    assert code_of(lambda: services.move_to_lobby(**over_host)) == "participant.host"
    assert code_of(lambda: services.set_role(role="guest", **over_host)) == "participant.host"
    assert code_of(lambda: services.set_role(role="host", **over_ann)) == "role.host-only"
    services.set_role(role="cohost", **over_ann)
    services.set_role(role="guest", **over_ann)
    services.remove_participant(**over_ann)
    # Whoever is a host of the room is not demoted in a meeting; who was promoted for a meeting is.
    assert code_of(lambda: services.set_role(role="guest", **where(scene, host))) == "participant.room-host"
    services.set_role(role="member", **where(scene, helper))
    assert code_of(lambda: services.set_locked(actor=by, meeting_id=scene.meeting_id, locked=True)) == (
        "meeting.host-only"
    )


def test_guests_may_none_of_it(scene: Any) -> None:
    ann, bob = come(scene, "Ann"), come(scene, "Bob")
    for one in (ann, bob):
        enter(scene, one)
    at = {"actor": Actor(participant_id=ann.participant_id), "meeting_id": scene.meeting_id}
    over = {**at, "participant_id": bob.participant_id}
    for work in (
        lambda: services.set_locked(locked=True, **at),
        lambda: services.mute_all(**at),
        lambda: services.lower_hands(**at),
        lambda: services.admit_all(**at),
        lambda: services.set_spotlight(**over),
        lambda: services.set_role(role="host", **over),
        lambda: services.rename(name="Robert", **over),
        lambda: services.remove_participant(**over),
        lambda: services.move_to_lobby(**over),
        lambda: services.admit(admitted=True, **over),
    ):
        assert code_of(work) == "meeting.host-only"


def test_one_may_rename_oneself_and_hosts_others(scene: Any) -> None:
    ann = come(scene, "Ann")
    enter(scene, ann)
    services.rename(
        name=" 安 \u200d👩\u200d🚀 ", **{**where(scene, ann), "actor": Actor(participant_id=ann.participant_id)}
    )
    services.rename(name="Anne", **where(scene, ann))
    services.rename(name="Anne", **where(scene, ann))
    assert [person.name for person in selectors.state_of(scene.meeting_id).people] == ["Anne"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "x" * 10_000, "evil\u202etxt.exe", "\u2066hi", "bell\a", "\x00"])
def test_names_that_cannot_be_shown_are_refused_everywhere(scene: Any, name: str) -> None:
    ann = come(scene, "Ann")
    enter(scene, ann)
    with pytest.raises(Malformed, match="printable"):
        come(scene, name)
    assert code_of(lambda: services.rename(name=name, **where(scene, ann))) == "participant.name"


def test_muting_all_spares_whom_it_is_told_to_and_hands_go_down_together(scene: Any) -> None:
    ann, bob, cy = (come(scene, name) for name in ("Ann", "Bob", "Cy"))
    for one in (ann, bob, cy):
        enter(scene, one)
        services.raise_hand(raised=True, **{**where(scene, one), "actor": Actor(participant_id=one.participant_id)})
    assert services.mute_all(spared={bob.participant_id}, **where(scene)) == 2
    assert services.lower_hands(**where(scene)) == 3
    people = selectors.state_of(scene.meeting_id).people
    assert [(person.muted, person.hand_raised_at) for person in people] == [(True, None), (False, None), (True, None)]


def test_a_room_device_that_consented_is_really_unmuted_and_switched_on(scene: Any) -> None:
    from rooms import inventory

    panel, ann = come(scene, "Room panel"), come(scene, "Ann")
    device = inventory.add_device(name="Panel", kind="codec", room_id=scene.room.pk, consents=True)
    code, _ = inventory.issue_code(device_id=device.pk)
    _, token = inventory.activate(code=code)
    inventory.note_heartbeat(device_id=device.pk, token=token, participant_id=panel.participant_id)
    for one, outcome in ((panel, "applied"), (ann, "requested")):
        enter(scene, one)
        services.set_muted(muted=True, **where(scene, one))
        services.set_camera(on=False, **where(scene, one))
        assert services.set_muted(muted=False, **where(scene, one)) == outcome
        assert services.set_camera(on=True, **where(scene, one)) == outcome
    plan = selectors.relay_plan(scene.meeting_id)
    assert plan is not None
    assert {one.id: (one.audio, one.video) for one in plan.participants} == {
        str(panel.participant_id): (True, True),
        str(ann.participant_id): (False, False),
    }


def test_the_spotlight_is_on_one_or_nobody(scene: Any) -> None:
    ann, bob = come(scene, "Ann"), come(scene, "Bob")
    for one in (ann, bob):
        enter(scene, one)
        services.set_spotlight(**where(scene, one))
    assert selectors.state_of(scene.meeting_id).spotlight == str(bob.participant_id)
    services.leave_meeting(meeting_id=scene.meeting_id, participant_id=bob.participant_id)
    assert selectors.state_of(scene.meeting_id).spotlight is None
    with pytest.raises(NotFound):
        services.set_spotlight(**where(scene, bob))


async def test_the_one_who_waits_hears_nothing_but_the_decision(live_scene: Any, open_socket: Any) -> None:
    await in_thread(change)(live_scene, lobby="guests")
    host_ticket = await in_thread(live_scene.admit)("Host", "host")
    host = await open_socket(live_scene.meeting_id)
    await host.join(host_ticket.ticket)
    assert (await host.hear("waiting-room"))["people"] == []
    ann = await in_thread(come)(live_scene, "Ann")
    page = await open_socket(live_scene.meeting_id)
    await page.say("join", ticket=ann.ticket)
    asked = await page.hear("asked-to-wait")
    assert asked["participantId"] == str(ann.participant_id)
    assert [person["name"] for person in (await host.hear("waiting-room"))["people"]] == ["Ann"]
    await host.say("say", id="1", text="is anybody there?")
    await host.hear("done", id="1")
    await page.say("offer", id="o", connection="receive", sdp="v=0")
    assert (await page.hear("refused", id="o"))["code"] == "participant.waiting"
    assert [told["type"] for told in page.told if told["type"] != "headed"] == ["asked-to-wait", "refused"]
    await host.say("admit", participantId=str(ann.participant_id), admitted=True, id="2")
    await host.hear("done", id="2")
    assert (await page.hear("welcomed"))["state"]["people"]
    await host.hear("joined")
    # Out again, and this time for good.
    await host.say("move-to-lobby", participantId=str(ann.participant_id), id="3")
    await page.hear("left")
    await page.hear("asked-to-wait")
    await host.say("admit", participantId=str(ann.participant_id), admitted=False, id="4")
    assert (await page.hear("refused"))["code"] == "participant.denied"
    assert await page.hung_up() == 4403


async def test_the_end_reaches_those_who_wait(live_scene: Any, open_socket: Any) -> None:
    await in_thread(change)(live_scene, lobby="guests")
    ann = await in_thread(come)(live_scene, "Ann")
    page = await open_socket(live_scene.meeting_id)
    await page.say("join", ticket=ann.ticket)
    await page.hear("asked-to-wait")
    await in_thread(services.end_meeting)(actor=live_scene.actor("host"), meeting_id=live_scene.meeting_id)
    assert (await page.hear("refused"))["code"] == "meeting.over"
    assert await page.hung_up() == 4409


async def test_a_reaction_passes_and_is_kept_nowhere(live_scene: Any, open_socket: Any) -> None:
    one, other = await in_thread(come)(live_scene, "Ann"), await in_thread(come)(live_scene, "Bob")
    ann, bob = await open_socket(live_scene.meeting_id), await open_socket(live_scene.meeting_id)
    await ann.join(one.ticket)
    await bob.join(other.ticket)
    head = await in_thread(selectors.head_of)(live_scene.meeting_id)
    await ann.say("react", reaction="🎉")
    assert (await bob.hear("reacted"))["participantId"] == str(one.participant_id)
    await ann.say("react", reaction="<script>")
    assert (await ann.hear("refused"))["code"] == "message.malformed"
    assert await in_thread(selectors.head_of)(live_scene.meeting_id) == head


def test_who_waits_and_is_gone_is_forgotten_and_who_waits_too_long_is_told(scene: Any) -> None:
    from datetime import timedelta

    from common.clock import now

    change(scene, lobby="guests")
    gone, patient = come(scene, "Gone"), come(scene, "Patient")
    for one in (gone, patient):
        enter(scene, one)
    at = now()
    absent = {gone.participant_id}
    for seconds in (0, 11):
        services.note_absence(meeting_id=scene.meeting_id, absent=absent, at=at + timedelta(seconds=seconds))
    assert [person.name for person in selectors.waiting_in(scene.meeting_id)] == ["Patient"]
    services.note_absence(meeting_id=scene.meeting_id, absent=set(), at=at + timedelta(minutes=16))
    assert Participant.objects.get(pk=patient.participant_id).state == "denied"
    assert Participant.objects.get(pk=gone.participant_id).state == "left"
    with pytest.raises(Forbidden):
        enter(scene, patient)
    with pytest.raises(Unknown):
        enter(scene, gone)


def test_two_hosts_who_admit_and_deny_at_once_end_in_one_decision(live_scene: Any, threads: Any) -> None:
    from common import transactions

    change(live_scene, lobby="guests", capacity=1)
    people = [come(live_scene, f"Guest {n}") for n in range(4)]
    for one in people:
        enter(live_scene, one)
    start = threading.Barrier(4)

    def decide(one: Any, admitted: bool) -> None:
        start.wait(5)
        services.admit(admitted=admitted, **where(live_scene, one))

    for pair in (people[:2], people[2:]):
        work = [transactions.threads.submit(decide, one, admitted) for one in pair for admitted in (True, False)]
        for done in work:
            done.result(20)
    decided = [line for _, line in selectors.lines_after(live_scene.meeting_id, 0) if '"type":"decided"' in line]
    assert len(decided) == 4, "each once"
    entered = 0
    for one in people:
        try:
            enter(live_scene, one)
            entered += 1
        except Forbidden:
            continue
        except Conflict as full:
            assert full.code == "meeting.full"
    assert entered <= 1, "the last seat is given once"

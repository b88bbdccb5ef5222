"""What no door can get past."""

from typing import Any

import pytest

from common.errors import Conflict, NotFound, Unknown
from conference import selectors, services
from conference.models import Meeting
from conference.selectors import Actor

pytestmark = pytest.mark.servers


def test_the_plan_says_what_ought_to_be(scene: Any) -> None:
    ann, bob = scene.enter("Ann"), scene.enter("Bob")
    host = {"actor": scene.actor("host"), "meeting_id": scene.meeting_id}
    services.set_muted(participant_id=ann, muted=True, **host)
    services.set_camera(participant_id=bob, on=False, **host)
    plan = selectors.relay_plan(scene.meeting_id)
    assert plan is not None
    assert {p.id: (p.audio, p.video) for p in plan.participants} == {str(ann): (False, True), str(bob): (True, False)}
    services.remove_participant(participant_id=ann, **host)
    plan = selectors.relay_plan(scene.meeting_id)
    assert plan is not None
    assert [p.id for p in plan.participants] == [str(bob)]


def test_each_claim_has_a_higher_epoch_and_is_told(scene: Any) -> None:
    claim = {"meeting_id": scene.meeting_id, "node": "m0"}
    assert [services.claim_meeting(**claim) for _ in range(3)] == [1, 2, 3]
    assert selectors.open_meetings() == [(scene.meeting_id, "m0", 3)]
    assert '"epoch":3,"reason":"taken-over"' in selectors.lines_after(scene.meeting_id, 0)[-1][1]
    services.end_meeting(actor=scene.actor("host"), meeting_id=scene.meeting_id)
    with pytest.raises(Conflict, match="over"):
        services.claim_meeting(**claim)


def test_a_room_has_one_open_meeting(scene: Any) -> None:
    again, started = services.start_meeting(actor=scene.actor("host"), slug="blue")
    assert (again.pk, started) == (scene.meeting_id, False)
    assert Meeting.objects.count() == 1


def test_muting_twice_is_told_once(scene: Any) -> None:
    ann = scene.enter("Ann")
    before = selectors.head_of(scene.meeting_id)
    for _ in range(2):
        services.set_muted(actor=scene.actor("host"), meeting_id=scene.meeting_id, participant_id=ann, muted=True)
    assert selectors.head_of(scene.meeting_id) == before + 1


def test_whoever_left_commands_nobody(scene: Any) -> None:
    host = scene.enter("Host", "host")
    ann = scene.enter("Ann")
    services.leave_meeting(meeting_id=scene.meeting_id, participant_id=host)
    with pytest.raises(Unknown):
        services.set_muted(
            actor=Actor(participant_id=host), meeting_id=scene.meeting_id, participant_id=ann, muted=True
        )


def test_a_participant_of_another_meeting_is_a_stranger(scene: Any) -> None:
    from rooms.services import create_room

    create_room(owner_id=scene.stranger.pk, title="Red", slug="red")
    other, _ = services.start_meeting(actor=scene.actor("stranger"), slug="red")
    ann = scene.enter("Ann")
    with pytest.raises(NotFound, match="meeting"):
        services.mute_all(actor=Actor(participant_id=ann), meeting_id=other.pk)
    with pytest.raises(NotFound, match="person"):
        services.set_muted(actor=scene.actor("stranger"), meeting_id=other.pk, participant_id=ann, muted=True)


def test_everybody_but_hosts_enters_muted_where_the_room_says_so(scene: Any) -> None:
    scene.room.mute_on_entry = True
    scene.room.save()
    scene.enter("Host", "host"), scene.enter("Ann")
    muted = {person.name: person.muted for person in selectors.state_of(scene.meeting_id).people}
    assert muted == {"Host": False, "Ann": True}

"""A participant is gone 15 s after both socket and media are; a sweep decides."""

from datetime import timedelta
from typing import Any

import pytest
import redis.exceptions

from common.clock import now
from conference import presence, selectors, services, tasks
from conference.models import Meeting, Participant
from conference.services import entry, shared, upkeep

pytestmark = pytest.mark.servers


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock that is put forward by hand."""

    class Clock:
        at = now()

        def forward(self, **by: float) -> None:
            self.at += timedelta(**by)

    clock = Clock()
    for module in (tasks, entry, shared, upkeep):
        monkeypatch.setattr(module, "now", lambda: clock.at)
    return clock


async def test_who_was_seen_is_not_absent(scene: Any) -> None:
    from common.store import async_store

    ann, bob = scene.meeting_id, scene.room.pk
    await presence.seen([ann])
    await async_store().aclose()
    assert presence.absent([ann, bob]) == {bob}


def test_the_lost_are_let_go_after_ten_seconds_and_those_who_are_back_stay(scene: Any, valkey: Any, clock: Any) -> None:
    ann, bob = scene.enter("Ann"), scene.enter("Bob")
    tasks.sweep_absent()
    assert Participant.objects.filter(absent_since__isnull=False).count() == 2
    valkey.set(f"quorum:presence:{bob}", 1)
    clock.forward(seconds=9)
    tasks.sweep_absent()
    assert [person.name for person in selectors.state_of(scene.meeting_id).people] == ["Ann", "Bob"]
    clock.forward(seconds=2)
    tasks.sweep_absent()
    assert [person.name for person in selectors.state_of(scene.meeting_id).people] == ["Bob"]
    assert '"reason":"lost"' in selectors.lines_after(scene.meeting_id, 0)[-1][1]
    assert Participant.objects.get(pk=ann).state == Participant.State.LOST


def test_media_alone_keeps_one_in_and_fifteen_seconds_without_both_do_not(scene: Any, valkey: Any, clock: Any) -> None:
    ann = scene.enter("Ann")

    def is_in() -> bool:
        return bool(selectors.state_of(scene.meeting_id).people)

    for _ in range(60):
        valkey.set(f"quorum:presence:{ann}", 1, px=presence.SEEN_FOR_MS)  # by the relay: there is no socket
        tasks.sweep_absent()
        clock.forward(seconds=2)
    assert is_in()
    valkey.delete(f"quorum:presence:{ann}")
    absent_s = presence.SEEN_FOR_MS / 1000
    while is_in():
        tasks.sweep_absent()
        clock.forward(seconds=1)
        absent_s += 1
    assert 15 <= absent_s <= 17


def test_who_was_lost_comes_back_with_the_same_ticket(scene: Any, clock: Any) -> None:
    ann = scene.admit("Ann")
    services.join_meeting(ticket=ann.ticket, meeting_id=scene.meeting_id)
    tasks.sweep_absent()
    clock.forward(seconds=11)
    tasks.sweep_absent()
    assert selectors.state_of(scene.meeting_id).people == ()
    services.join_meeting(ticket=ann.ticket, meeting_id=scene.meeting_id)
    assert [person.id for person in selectors.state_of(scene.meeting_id).people] == [str(ann.participant_id)]


def test_without_redis_nobody_is_let_go(scene: Any, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.enter("Ann")
    tasks.sweep_absent()
    clock.forward(minutes=1)

    def away(_: Any) -> Any:
        raise redis.exceptions.ConnectionError

    monkeypatch.setattr(presence, "absent", away)
    tasks.sweep_absent()
    assert len(selectors.state_of(scene.meeting_id).people) == 1


def test_an_empty_meeting_ends_after_five_minutes(scene: Any, clock: Any) -> None:
    ann = scene.enter("Ann")
    services.leave_meeting(meeting_id=scene.meeting_id, participant_id=ann)
    clock.forward(minutes=4)
    tasks.sweep_absent()
    assert Meeting.objects.get().ended_at is None
    clock.forward(minutes=2)
    tasks.sweep_absent()
    assert Meeting.objects.get().ended_at == clock.at
    assert selectors.relay_plan(scene.meeting_id) is None

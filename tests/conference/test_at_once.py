"""What several people do at the same moment, in threads, with real commits."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from rest_framework.test import APIClient

from common.errors import Refusal
from conference import selectors, services
from conference.models import Meeting, Participant
from rooms.models import Room

pytestmark = pytest.mark.servers


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """What each call gave, or the code of its refusal; they begin together."""
    start = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(place: int) -> None:
        start.wait(10)
        try:
            results[place] = calls[place]()
        except Refusal as no:
            results[place] = no.code
        finally:
            connections.close_all()

    running = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)
    return results


def test_the_last_seat_is_given_once(live_scene: Any) -> None:
    Room.objects.filter(pk=live_scene.room.pk).update(capacity=2)
    tickets = [live_scene.admit(f"Guest {number}") for number in range(6)]
    meeting = live_scene.meeting_id
    results = at_once([lambda t=t: services.join_meeting(ticket=t.ticket, meeting_id=meeting) for t in tickets])
    assert results.count("meeting.full") == 4
    state = selectors.state_of(meeting)
    inside = {result.participant_id for result in results if not isinstance(result, str)}
    assert {person.id for person in state.people} == {str(each) for each in inside}
    lines = [sequence for sequence, _ in selectors.lines_after(meeting, 0)]
    assert lines == list(range(1, len(lines) + 1)), "the journal has no gap"


def test_two_hosts_who_start_at_once_start_one_meeting(live_scene: Any) -> None:
    services.end_meeting(actor=live_scene.actor("host"), meeting_id=live_scene.meeting_id)
    host = live_scene.actor("host")
    results = at_once([lambda: services.start_meeting(actor=host, slug="blue") for _ in range(4)])
    assert len({meeting.pk for meeting, _ in results}) == 1
    assert sorted(started for _, started in results) == [False, False, False, True]
    assert Meeting.objects.filter(ended_at=None).count() == 1


def test_one_key_used_at_once_is_done_once(live_scene: Any) -> None:
    def client() -> APIClient:
        made = APIClient()
        made.force_login(live_scene.host, backend="django.contrib.auth.backends.ModelBackend")
        return made

    def make(by: APIClient) -> tuple[int, Any]:
        answer = by.post("/api/v1/rooms/", {"title": "Red"}, format="json", HTTP_IDEMPOTENCY_KEY="k")
        return answer.status_code, answer.json().get("slug") or answer.json()["code"]

    clients = [client() for _ in range(4)]
    results = at_once([lambda by=by: make(by) for by in clients])
    assert Room.objects.filter(title="Red").count() == 1
    made = {result for result in results if result[0] == 201}
    assert len(made) == 1
    assert set(results) - made <= {(409, "idempotency.in-progress")}


def test_one_ticket_from_two_devices_at_once_is_one_person_who_joined_once(live_scene: Any) -> None:
    ann = live_scene.admit("Ann")
    at_once([lambda: services.join_meeting(ticket=ann.ticket, meeting_id=live_scene.meeting_id) for _ in range(4)])
    lines = selectors.lines_after(live_scene.meeting_id, 0)
    assert sum('"type":"joined"' in text for _, text in lines) == 1


def test_two_tickets_of_one_user_are_two_people(live_scene: Any) -> None:
    devices = [live_scene.enter("Mia", "member") for _ in range(2)]
    assert {person.id for person in selectors.state_of(live_scene.meeting_id).people} == {str(d) for d in devices}
    services.leave_meeting(meeting_id=live_scene.meeting_id, participant_id=devices[0])
    assert Participant.objects.get(pk=devices[1]).state == Participant.State.PRESENT


def test_hands_that_go_up_at_once_have_one_order_for_everybody(live_scene: Any) -> None:
    people = [live_scene.enter(f"Guest {number}") for number in range(5)]
    meeting = live_scene.meeting_id
    at_once(
        [
            lambda who=who: services.raise_hand(
                actor=selectors.Actor(participant_id=who), meeting_id=meeting, participant_id=who, raised=True
            )
            for who in people
        ]
    )
    called = [str(person.pk) for person in selectors.raised_hands_of(meeting)]
    people_told = [person for person in selectors.state_of(meeting).people if person.hand_raised_at is not None]
    assert called == [p.id for p in sorted(people_told, key=lambda p: (p.hand_raised_at, p.id))]
    assert len(called) == 5

"""Meetings by REST: every command, and every no as problem details."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from conference import selectors, services

pytestmark = pytest.mark.servers


def client_of(user: Any = None, key: str = "") -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    if key:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def code(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == f"/problems/{answer.json()['code']}"
    return answer.status_code, answer.json()["code"]


def test_a_host_makes_a_room_starts_a_meeting_and_ends_it(scene: Any) -> None:
    host = client_of(scene.stranger)
    room = host.post("/api/v1/rooms/", {"title": "Red"}, format="json").json()
    started = host.post(f"/api/v1/rooms/{room['slug']}/meetings/")
    assert started.status_code == 201
    assert host.post(f"/api/v1/rooms/{room['slug']}/meetings/").json()["id"] == started.json()["id"]
    listed = host.get("/api/v1/meetings/?open=true").json()["results"]
    assert [meeting["room"] for meeting in listed] == [room["slug"]]
    ended = host.post(f"/api/v1/meetings/{started.json()['id']}/end/")
    assert ended.json()["ended_at"] is not None
    assert host.post(f"/api/v1/meetings/{started.json()['id']}/end/").status_code == 200


def test_a_guest_without_an_account_is_given_a_ticket(scene: Any) -> None:
    answer = client_of().post("/api/v1/rooms/blue/tickets/", {"name": " Ann  Lee "}, format="json")
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["socket_path"] == f"/ws/meetings/{scene.meeting_id}/"
    assert body["role"] == "guest"
    services.join_meeting(ticket=body["ticket"], meeting_id=scene.meeting_id)
    assert [person.name for person in selectors.state_of(scene.meeting_id).people] == ["Ann Lee"]


def test_a_guest_must_have_a_name(scene: Any) -> None:
    for name in ("", "   ", "x" * 81, "a\u202eb"):
        answer = client_of().post("/api/v1/rooms/blue/tickets/", {"name": name}, format="json")
        assert code(answer) in ((400, "participant.name"), (400, "request.invalid"))


def test_restrictive_commands_apply_and_others_are_asked(scene: Any) -> None:
    ann = scene.enter("Ann")
    host = client_of(scene.host)
    at = f"/api/v1/meetings/{scene.meeting_id}/participants/{ann}/"
    for verb, outcome in (
        ("mute", "applied"),
        ("mute", "applied"),
        ("unmute", "requested"),
        ("camera-off", "applied"),
        ("camera-on", "requested"),
    ):
        assert host.post(f"{at}{verb}/").json() == {"outcome": outcome}, verb
    assert {k: host.get(at).json()[k] for k in ("muted", "camera_on")} == {"muted": True, "camera_on": False}
    assert host.post(f"{at}remove/").json() == {"outcome": "applied"}
    assert host.get(at).json()["state"] == "removed"
    journal = host.get(f"/api/v1/meetings/{scene.meeting_id}/journal/?after=2").json()["results"]
    assert [entry["line"]["type"] for entry in journal] == ["muted", "camera-switched", "left"]


def test_mute_all_spares_the_one_who_asks(scene: Any) -> None:
    host, ann, bob = scene.enter("Host", "host"), scene.enter("Ann"), scene.enter("Bob")
    answer = client_of(scene.host).post(f"/api/v1/meetings/{scene.meeting_id}/mute-all/")
    assert answer.json() == {"muted": 2}
    muted = {person.id: person.muted for person in selectors.state_of(scene.meeting_id).people}
    assert muted == {str(host): False, str(ann): True, str(bob): True}


def test_members_see_and_only_hosts_command(scene: Any) -> None:
    ann = scene.enter("Ann")
    member = client_of(scene.member)
    assert member.get(f"/api/v1/meetings/{scene.meeting_id}/").json()["people"] == 1
    for path in (f"participants/{ann}/mute/", f"participants/{ann}/remove/", "mute-all/", "end/"):
        assert code(member.post(f"/api/v1/meetings/{scene.meeting_id}/{path}")) == (403, "meeting.host-only")


def test_to_a_stranger_what_is_hidden_looks_like_what_is_not(scene: Any) -> None:
    ann = scene.enter("Ann")
    stranger = client_of(scene.stranger)
    nowhere = "01900000-0000-7000-8000-000000000000"
    for path in ("", "participants/", f"participants/{ann}/", "journal/", "messages/"):
        hidden = stranger.get(f"/api/v1/meetings/{scene.meeting_id}/{path}")
        missing = stranger.get(f"/api/v1/meetings/{nowhere}/{path}")
        assert code(hidden) == (404, "meeting.unknown")
        assert hidden.json() == missing.json()
    for path in ("end/", "mute-all/", f"participants/{ann}/mute/"):
        hidden = stranger.post(f"/api/v1/meetings/{scene.meeting_id}/{path}")
        assert code(hidden) == (404, "meeting.unknown")
    assert (
        code(stranger.get("/api/v1/rooms/blue/")) == code(stranger.get("/api/v1/rooms/nope/")) == (404, "room.unknown")
    )
    assert stranger.get("/api/v1/rooms/").json()["results"] == []


def test_nobody_is_known_without_signing_in(scene: Any) -> None:
    for path in ("rooms/", "meetings/", f"meetings/{scene.meeting_id}/", "ice-servers/"):
        assert code(client_of().get(f"/api/v1/{path}")) == (401, "user.unknown")
    assert code(client_of(key="qk_none_none").get("/api/v1/rooms/")) == (401, "api-key.unknown")


def test_a_key_reaches_as_far_as_its_scopes(scene: Any) -> None:
    from accounts.services import create_api_key, revoke_api_key

    key, token = create_api_key(owner_id=scene.host.pk, name="bot", scopes=["meetings:read"])
    bot = client_of(key=token)
    assert bot.get(f"/api/v1/meetings/{scene.meeting_id}/").status_code == 200
    assert code(bot.post(f"/api/v1/meetings/{scene.meeting_id}/mute-all/")) == (403, "scope.missing")
    assert code(bot.get("/api/v1/rooms/")) == (403, "scope.missing")
    revoke_api_key(key_id=key.pk)
    assert code(bot.get(f"/api/v1/meetings/{scene.meeting_id}/")) == (401, "api-key.unknown")


def test_an_integration_is_named_in_the_journal(scene: Any) -> None:
    from accounts.services import create_api_key

    _, token = create_api_key(owner_id=scene.host.pk, name="bot", scopes=["meetings:write"])
    ann = scene.enter("Ann")
    bot = client_of(key=token)
    bot.post(f"/api/v1/meetings/{scene.meeting_id}/participants/{ann}/mute/")
    journal = bot.get(f"/api/v1/meetings/{scene.meeting_id}/journal/").json()["results"]
    assert journal[-1]["line"]["by"] == "bot"


def test_people_inside_write_and_can_search(scene: Any) -> None:
    path = f"/api/v1/meetings/{scene.meeting_id}/messages/"
    host = client_of(scene.host)
    assert code(host.post(path, {"id": "1", "text": "hello"}, format="json")) == (403, "meeting.inside-only")
    scene.enter("Host", "host")
    for _ in range(2):
        assert host.post(path, {"id": "1", "text": "hello"}, format="json").status_code == 201
    host.post(path, {"id": "2", "text": "bye"}, format="json")
    assert [m["text"] for m in host.get(path).json()["results"]] == ["hello", "bye"]
    assert [m["text"] for m in host.get(f"{path}?q=HEL").json()["results"]] == ["hello"]
    assert code(host.post(path, {"id": "3", "text": "  "}, format="json")) == (400, "message.blank")


def test_a_repeated_request_is_answered_and_not_done_again(scene: Any) -> None:
    host = client_of(scene.host)
    first = host.post("/api/v1/rooms/", {"title": "Red"}, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    second = host.post("/api/v1/rooms/", {"title": "Red"}, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    other = host.post("/api/v1/rooms/", {"title": "Green"}, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    assert code(other) == (422, "idempotency.mismatch")
    for key in ("k2", "k2"):
        refused = host.post("/api/v1/rooms/", {"title": " "}, format="json", HTTP_IDEMPOTENCY_KEY=key)
        assert refused.status_code == 400, "a refusal is not kept: the request may be mended"


def test_a_request_under_way_is_not_begun_again(scene: Any) -> None:
    from common.clock import now
    from common.models import IdempotentRequest

    host = client_of(scene.host)
    first = host.post("/api/v1/rooms/", {"title": "Red"}, format="json", HTTP_IDEMPOTENCY_KEY="k")
    assert first.status_code == 201
    IdempotentRequest.objects.update(status=None, answer=None, created_at=now())
    again = host.post("/api/v1/rooms/", {"title": "Red"}, format="json", HTTP_IDEMPOTENCY_KEY="k")
    assert code(again) == (409, "idempotency.in-progress")


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("post", "/api/v1/rooms/", "{", (400, "request.malformed")),
        ("post", "/api/v1/rooms/", "[]", (400, "request.invalid")),
        ("post", "/api/v1/rooms/", '{"title": "x", "capacity": 0}', (400, "request.invalid")),
        ("post", "/api/v1/rooms/", '{"title": "x", "slug": "blue"}', (409, "room.slug-taken")),
        ("patch", "/api/v1/rooms/blue/", '{"title": ""}', (400, "request.invalid")),
        ("delete", "/api/v1/rooms/blue/", "", (409, "room.in-use")),
        ("put", "/api/v1/meetings/", "{}", (405, "method.not-allowed")),
    ],
)
def test_bad_requests_are_problems(scene: Any, method: str, path: str, body: str, expected: Any) -> None:
    host = client_of(scene.host)
    answer = getattr(host, method)(path, body, content_type="application/json")
    assert code(answer) == expected


def test_a_stranger_may_not_come_where_guests_are_not_allowed(scene: Any) -> None:
    client_of(scene.host).patch("/api/v1/rooms/blue/", {"guests_allowed": False}, format="json")
    answer = client_of().post("/api/v1/rooms/blue/tickets/", {"name": "Ann"}, format="json")
    assert code(answer) == (404, "room.unknown")
    assert scene.admit("Mia", "member").role == "member"


def test_a_meeting_that_has_not_started_says_so_to_guests_and_starts_for_a_host(scene: Any) -> None:
    services.end_meeting(actor=scene.actor("host"), meeting_id=scene.meeting_id)
    guest = client_of()
    answer = guest.post("/api/v1/rooms/blue/tickets/", {"name": "Ann"}, format="json")
    assert code(answer) == (409, "meeting.not-started")
    started = client_of(scene.host).post("/api/v1/rooms/blue/tickets/", {}, format="json")
    assert started.json()["role"] == "host"
    assert guest.post("/api/v1/rooms/blue/tickets/", {"name": "Ann"}, format="json").status_code == 201


def test_commands_to_an_ended_meeting_are_refused(scene: Any) -> None:
    ann = scene.enter("Ann")
    services.end_meeting(actor=scene.actor("host"), meeting_id=scene.meeting_id)
    answer = client_of(scene.host).post(f"/api/v1/meetings/{scene.meeting_id}/participants/{ann}/mute/")
    assert code(answer) == (409, "meeting.over")


def test_tickets_are_limited_by_address(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from common.limits import Limit
    from conference import views

    monkeypatch.setattr(views, "TICKETS", Limit("tickets", rate_per_s=0.01, burst=2))
    answers = [
        client_of().post("/api/v1/rooms/blue/tickets/", {"name": "Ann"}, format="json", REMOTE_ADDR="10.0.0.1")
        for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert code(answers[-1]) == (429, "requests.too-many")
    assert 0 < int(answers[-1]["Retry-After"]) <= 100
    other = client_of().post("/api/v1/rooms/blue/tickets/", {"name": "Bob"}, format="json", REMOTE_ADDR="10.0.0.2")
    assert other.status_code == 201


def test_an_address_that_is_none_is_a_problem_too() -> None:
    client = client_of()
    for path in ("/api/", "/api/v1/nowhere/", "/api/v2/rooms/"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == "resource.unknown"

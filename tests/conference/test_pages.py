"""The pages' contexts, and the admin."""

from typing import Any

import pytest
from django.test import Client

BACKEND = "django.contrib.auth.backends.ModelBackend"


def client_of(user: Any = None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user, backend=BACKEND)
    return client


def context_of(monkeypatch: pytest.MonkeyPatch, client: Client, path: str) -> dict[str, Any]:
    """What a page is drawn from, whatever it is drawn like."""
    from django.http import HttpResponse

    from conference import pages

    found: dict[str, Any] = {}

    def render(_request: Any, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        found.update(context, template=template)
        return HttpResponse(status=status)

    monkeypatch.setattr(pages, "render", render)
    assert client.get(path).status_code == 200
    return found


def test_the_desktop_is_for_people_with_an_account(scene: Any) -> None:
    answer = client_of().get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/")


def test_the_desktop_shows_my_rooms_and_what_runs_now(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.enter("Ann")
    context = context_of(monkeypatch, client_of(scene.member), "/")
    card = {"slug": "blue", "title": "Blue", "url": "/r/blue/", "live": True, "people": 1}
    assert (context["rooms"], context["running"], context["recent"]) == ([card], [card], [])
    assert context_of(monkeypatch, client_of(scene.stranger), "/")["rooms"] == []


def test_a_new_room_is_entered_at_once(scene: Any) -> None:
    answer = client_of(scene.stranger).post("/", {"title": "Red"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/r/")


def test_the_meeting_page_knows_who_is_there(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    page = context_of(monkeypatch, client_of(scene.host), "/r/blue/")["page"]
    assert page == {
        "slug": "blue",
        "title": "Blue",
        "signedIn": True,
        "name": "host",
        "language": "en",
        "socketBase": "ws://testserver",
        "iceServers": [],
    }
    assert context_of(monkeypatch, client_of(), "/r/blue/")["page"]["name"] == ""


def test_an_unknown_room_is_not_found(scene: Any) -> None:
    assert client_of().get("/r/nope/").status_code == 404


@pytest.mark.parametrize(
    ("pasted", "to"),
    [
        ("blue", "/r/blue/"),
        ("https://quorum.example/r/blue/", "/r/blue/"),
        ("/r/blue", "/r/blue/"),
        ("//evil.example/x", "/"),
        ("https://evil.example", "/"),
        ("", "/"),
    ],
)
def test_a_pasted_link_leads_to_its_room_and_nowhere_else(pasted: str, to: str) -> None:
    assert Client().get("/join/", {"q": pasted})["Location"] == to


def test_operators_see_everything_in_the_admin_and_command_through_the_services(scene: Any) -> None:
    from conference.models import Meeting, Participant

    ann = scene.enter("Ann")
    admin = client_of(scene.operator)
    for name in (
        "conference/meeting",
        "conference/participant",
        "conference/entry",
        "conference/chatmessage",
        "rooms/room",
        "rooms/membership",
        "accounts/user",
        "accounts/apikey",
    ):
        assert admin.get(f"/admin/{name}/").status_code == 200, name
    assert admin.get(f"/admin/conference/meeting/{scene.meeting_id}/change/").status_code == 200
    assert admin.get(f"/admin/rooms/room/{scene.room.pk}/change/").status_code == 200
    assert admin.get("/admin/accounts/user/add/").status_code == 200
    admin.post("/admin/conference/participant/", {"action": "mute", "_selected_action": [str(ann)]})
    assert Participant.objects.get(pk=ann).muted
    admin.post("/admin/conference/meeting/", {"action": "end", "_selected_action": [str(scene.meeting_id)]})
    assert Meeting.objects.get().ended_at is not None


def test_a_key_made_in_the_admin_works_and_is_shown_once(scene: Any) -> None:
    import re

    admin = client_of(scene.operator)
    form = {"owner": str(scene.host.pk), "name": "bot", "scopes": ["rooms:read"]}
    answer = admin.post("/admin/accounts/apikey/add/", form, follow=True)
    token = re.search(r"qk_[0-9a-f]{8}_[-\w]+", answer.content.decode())
    assert token is not None
    got = Client().get("/api/v1/rooms/", HTTP_AUTHORIZATION=f"Bearer {token[0]}")
    assert got.status_code == 200
    assert token[0] not in admin.get("/admin/accounts/apikey/").content.decode()

"""Who may do what: every address of the REST interface and every message of the socket, for each kind of asker.

A new address or message fails here until it is in the table. Each is asked in a transaction that is undone.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from common.errors import Refusal
from conference import commands, protocol, selectors, services, verbs
from conference.selectors import Actor
from rooms.inventory import add_device
from rooms.words import Role

pytestmark = pytest.mark.servers

EVERYBODY = "anonymous stranger member cohost host operator"
SIGNED_IN = "stranger member cohost host operator reader"
ROOM = "member cohost host operator reader"
HOSTS = "cohost host operator"
WRITERS = "stranger member cohost host operator"
"""Kinds of askers. `reader` is a key of the host that may read alone; `keyless` (a key without scopes) may nothing."""
ASKERS = (*EVERYBODY.split(), "reader", "keyless")

REST = {
    "GET rooms/": SIGNED_IN,
    "POST rooms/": WRITERS,
    "GET rooms/{slug}/": ROOM,
    "PATCH rooms/{slug}/": HOSTS,
    "DELETE rooms/{slug}/": HOSTS,
    "GET rooms/{slug}/meetings/": ROOM,
    "POST rooms/{slug}/meetings/": "member cohost host operator",
    "POST rooms/{slug}/tickets/": EVERYBODY,
    "GET meetings/": SIGNED_IN,
    "GET meetings/{meeting_id}/": ROOM,
    "POST meetings/{meeting_id}/end/": HOSTS,
    "POST meetings/{meeting_id}/mute-all/": HOSTS,
    "GET meetings/{meeting_id}/journal/": ROOM,
    "GET meetings/{meeting_id}/messages/": ROOM,
    "POST meetings/{meeting_id}/messages/": "",  # nobody of these is inside
    "GET meetings/{meeting_id}/participants/": ROOM,
    "GET meetings/{meeting_id}/participants/{participant_id}/": ROOM,
    "POST meetings/{meeting_id}/{verb}/": HOSTS,
    "POST meetings/{meeting_id}/participants/{participant_id}/{verb}/": HOSTS,
    "GET devices/": SIGNED_IN,
    "POST devices/": "operator",
    "GET devices/{device_id}/": ROOM,
    "PATCH devices/{device_id}/": "operator",
    "POST devices/{device_id}/retire/": "operator",
    "POST devices/{device_id}/code/": "operator",
    "POST devices/activate/": "",  # whoever has a code
    "POST devices/{device_id}/heartbeat/": "",  # whoever has the device's token
    "GET nodes/": "operator",
    "POST nodes/{node}/drain/": "operator",
    "POST nodes/{node}/undrain/": "operator",
    "GET ice-servers/": SIGNED_IN,
}
BODIES = {
    "POST rooms/": {"title": "Green"},
    "PATCH rooms/{slug}/": {"title": "Green"},
    "POST rooms/{slug}/tickets/": {"name": "Somebody"},
    "POST meetings/{meeting_id}/messages/": {"id": "1", "text": "hello"},
    "POST devices/": {"name": "Camera", "kind": "camera"},
    "PATCH devices/{device_id}/": {"name": "Camera"},
    "POST devices/activate/": {"code": "ABCDEFGH"},
    "rename": {"name": "Another"},
    "set-role": {"role": "member"},
}


def endpoints() -> Iterator[tuple[str, list[str]]]:
    """Every address below /api/v1/ with its methods and, where it has some, its verbs."""

    def walk(patterns: Any, prefix: str) -> Iterator[tuple[str, Any]]:
        for one in patterns:
            path = prefix + str(one.pattern)
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns, path)
            elif isinstance(one, URLPattern):
                yield path, one.callback

    for path, view in walk(get_resolver().url_patterns, ""):
        if not path.startswith("api/v1/"):
            continue
        verbs_ = re.findall(r"\(\?P<verb>([^)]*)\)", path)
        plain = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", path)
        plain = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", plain).replace("^", "").replace("$", "").replace("\\Z", "")
        if "{format}" in plain or plain == "api/v1/":
            continue
        actions = getattr(view, "actions", None) or {
            name: name for name in ("get", "post", "put", "patch", "delete") if hasattr(view.cls, name)
        }
        for method in [name for name in actions if name != "head"]:
            yield f"{method.upper()} {plain.removeprefix('api/v1/')}", verbs_[0].split("|") if verbs_ else []


def clients(scene: Any) -> dict[str, APIClient]:
    """One for each kind of asker."""
    from accounts.services import create_api_key, create_user
    from rooms.services import grant_role

    helper = create_user(username="helper")
    grant_role(room_id=scene.room.pk, user_id=helper.pk, role=Role.COHOST)
    people = {name: getattr(scene, name) for name in ("stranger", "member", "host", "operator")} | {"cohost": helper}
    found = {"anonymous": APIClient()}
    for name, user in people.items():
        found[name] = APIClient()
        found[name].force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    for name, scopes in (("reader", ["rooms:read", "meetings:read", "nodes:read", "devices:read"]), ("keyless", [])):
        _, key = create_api_key(owner_id=scene.host.pk, name=name, scopes=scopes)
        found[name] = APIClient()
        found[name].credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return found


def ask(client: APIClient, method: str, path: str, body: Any) -> int:
    """The status; what it did is undone."""
    with transaction.atomic():
        text = msgspec.json.encode(body).decode()
        status: int = client.generic(method, f"/api/v1/{path}", text, "application/json").status_code
        transaction.set_rollback(True)
    return status


def test_every_address_of_the_rest_interface_is_in_the_table() -> None:
    assert {address for address, _ in endpoints()} == set(REST)


def test_each_address_is_open_to_those_in_the_table_and_to_nobody_else(scene: Any, valkey: Any) -> None:
    ann = scene.enter("Ann")
    device = add_device(name="Screen", kind="display", room_id=scene.room.pk)
    facts = {
        "device_id": device.pk,
        "slug": scene.room.slug,
        "meeting_id": scene.meeting_id,
        "participant_id": ann,
        "node": "none",
    }
    asked = clients(scene)
    wrong = []
    for address, known in endpoints():
        method, pattern = address.split(" ")
        for verb in known or [""]:
            path = pattern.format(verb=verb, **facts)
            body = BODIES.get(verb) or BODIES.get(address, {})
            may = {name for name in ASKERS if ask(asked[name], method, path, body) not in (401, 403, 404)}
            # A node of that name is not there, but only operators learn that.
            expected = set() if "{node}" in pattern else set(REST[address].split())
            if may != expected:
                wrong.append((address, verb, sorted(may ^ expected)))
    assert wrong == []


def test_strangers_are_not_told_that_a_meeting_exists(scene: Any) -> None:
    ann = scene.enter("Ann")
    client = clients(scene)["stranger"]
    for part in ("", "journal/", "messages/", "participants/", f"participants/{ann}/"):
        assert ask(client, "GET", f"meetings/{scene.meeting_id}/{part}", {}) == 404
    for verb in ("lock", "end", "mute-all", f"participants/{ann}/remove", f"participants/{ann}/admit"):
        assert ask(client, "POST", f"meetings/{scene.meeting_id}/{verb}/", {}) == 404


# --- the socket -------------------------------------------------------------------------------------------------------
OWN = "guest member cohost host"
RUN = "cohost host"
SOCKET = {
    "mute-all": RUN,
    "lower-hands": RUN,
    "lock": RUN,
    "rename": RUN,
    "set-role": RUN,
    "spotlight": RUN,
    "remove": RUN,
    "move-to-lobby": RUN,
    "admit": RUN,
    "admit-all": RUN,
    "react": OWN,
    "mute": RUN,
    "switch-camera": RUN,
    "switch-screen": RUN,
    "raise-hand": RUN,
    "say": OWN,
    "end": RUN,
}
"""What each may do to somebody else, a guest. Of the rest nobody asks anybody: they concern one's own socket alone."""
OF_ONES_OWN = {"join", "resume", "offer", "watch", "leave"}


def test_every_message_of_the_socket_is_in_the_table() -> None:
    tags = {member.__struct_config__.tag for member in protocol.FromBrowser.__args__}
    assert tags == set(SOCKET) | OF_ONES_OWN


def said(tag: str, whom: Any) -> Any:
    """What a service is asked for by each message, about somebody else."""
    person = str(whom)
    return {
        "mute-all": verbs.MuteAll(),
        "lower-hands": verbs.LowerHands(),
        "lock": verbs.Lock(locked=True),
        "rename": verbs.Rename(participant_id=person, name="Another"),
        "set-role": verbs.SetRole(participant_id=person, role="member"),
        "spotlight": verbs.Spotlight(participant_id=person),
        "remove": verbs.Remove(participant_id=person),
        "move-to-lobby": verbs.MoveToLobby(participant_id=person),
        "admit": verbs.Admit(participant_id=person, admitted=True),
        "admit-all": verbs.AdmitAll(),
        "react": verbs.React(reaction="👍"),
    }.get(tag)


def do_by_itself(tag: str, where: dict[str, Any], person: dict[str, Any]) -> None:
    """The messages that have an effect of their own in the session."""
    match tag:
        case "mute":
            services.set_muted(muted=True, **person)
        case "switch-camera":
            services.set_camera(on=False, **person)
        case "switch-screen":
            services.set_screen(on=False, **person)
        case "raise-hand":
            services.raise_hand(raised=False, **person)
        case "say":
            services.say(client_id="1", text="hello", **where)
        case "end":
            services.end_meeting(**where)
        case _:
            raise AssertionError(tag)


def do(tag: str, actor: Actor, scene: Any, whom: Any) -> bool:
    """Whether it is done; it is undone."""
    where: dict[str, Any] = {"actor": actor, "meeting_id": scene.meeting_id}
    person = {**where, "participant_id": whom}
    try:
        with transaction.atomic():
            message = said(tag, whom)
            if message is not None:
                commands.perform(message=message, **where)
            else:
                do_by_itself(tag, where, person)
            transaction.set_rollback(True)
    except Refusal as no:
        assert no.code == "meeting.host-only", (tag, no.code)
        return False
    return True


def test_each_message_is_heard_from_those_in_the_table_and_from_nobody_else(scene: Any) -> None:
    from accounts.services import create_user
    from rooms.services import grant_role

    grant_role(room_id=scene.room.pk, user_id=create_user(username="helper").pk, role=Role.COHOST)
    whom = scene.enter("Somebody else")
    inside = {
        "guest": scene.enter("Guest"),
        "member": scene.enter("Member", "member"),
        "host": scene.enter("Host", "host"),
        "cohost": scene.enter("Helper", "member"),
    }
    services.set_role(
        actor=scene.actor("host"), meeting_id=scene.meeting_id, participant_id=inside["cohost"], role="cohost"
    )
    for tag, expected in SOCKET.items():
        may = {name for name, who in inside.items() if do(tag, Actor(participant_id=who), scene, whom)}
        assert may == set(expected.split()), tag
    assert selectors.state_of(scene.meeting_id).locked is False

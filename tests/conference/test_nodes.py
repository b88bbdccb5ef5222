"""Media workers by REST, admin and command: who lives, and emptying one."""

from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from common.errors import Conflict, NotFound, Unavailable
from conference import nodes, relays, services, tasks
from conference.placement import RelayNode

pytestmark = pytest.mark.servers


def show(valkey: Any, name: str, connections: int = 0) -> None:
    """A relay that lives, for as long as the test does."""
    shown = RelayNode(f"relay-{name}", name, 1, "machine", connections)
    valkey.set(relays.node_key(name), msgspec.json.encode(shown).decode())


def told(valkey: Any, name: str) -> list[str]:
    """The meetings that a relay was told to take."""
    words = [relays.heard_decoder.decode(text) for text in valkey.lrange(relays.inbox_key(f"relay-{name}"), 0, -1)]
    return [word.meeting_id for word in words if isinstance(word, relays.Take)]


def client_of(user: Any) -> APIClient:
    client = APIClient()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def carried(scene: Any, valkey: Any) -> Any:
    """A meeting on node `a`, beside which `b` and the busier `c` live."""
    for name, connections in (("a", 2), ("b", 0), ("c", 9)):
        show(valkey, name, connections)
    services.claim_meeting(meeting_id=scene.meeting_id, node="a")
    return scene


def test_operators_see_load_and_health(carried: Any, valkey: Any) -> None:
    valkey.delete(relays.node_key("a"))
    answer = client_of(carried.operator).get("/api/v1/nodes/")
    assert [(n["node"], n["health"], n["connections"], n["meetings"], n["draining"]) for n in answer.json()] == [
        ("a", "gone", 0, 1, False),
        ("b", "alive", 0, 0, False),
        ("c", "alive", 9, 0, False),
    ]


def test_a_drained_node_hands_its_meetings_to_the_freest_other_and_gets_no_new_ones(carried: Any, valkey: Any) -> None:
    operator = client_of(carried.operator)
    answer = operator.post("/api/v1/nodes/a/drain/")
    assert (answer.status_code, answer.json()["draining"], answer.json()["meetings"]) == (200, True, 1)
    assert told(valkey, "b") == [str(carried.meeting_id)]
    assert told(valkey, "c") == []
    assert {node.node for node in relays.living_nodes() if node.draining} == {"a"}
    assert valkey.ttl(relays.draining_key("a")) == -1, "over any restart of the node"
    services.claim_meeting(meeting_id=carried.meeting_id, node="b", reason="drained")
    assert operator.get("/api/v1/nodes/").json()[0]["meetings"] == 0
    assert operator.post("/api/v1/nodes/a/undrain/").json()["draining"] is False
    assert not any(node.draining for node in relays.living_nodes())


def test_what_is_left_on_a_drained_node_is_told_to_move_again(carried: Any, valkey: Any) -> None:
    nodes.drain_node(node="a")
    valkey.delete(relays.inbox_key("relay-b"))
    tasks.empty_draining()
    assert told(valkey, "b") == [str(carried.meeting_id)]
    services.claim_meeting(meeting_id=carried.meeting_id, node="b", reason="drained")
    tasks.empty_draining()
    assert len(told(valkey, "b")) == 1


def test_the_last_node_is_not_drained(carried: Any, valkey: Any) -> None:
    nodes.drain_node(node="b")
    nodes.drain_node(node="c")
    with pytest.raises(Conflict) as no:
        nodes.drain_node(node="a")
    assert no.value.code == "node.last"
    answer = client_of(carried.operator).post("/api/v1/nodes/a/drain/")
    assert (answer.status_code, answer.json()["code"]) == (409, "node.last")


def test_drained_nodes_are_used_again_when_every_other_has_died(carried: Any, valkey: Any) -> None:
    nodes.drain_node(node="a")
    valkey.delete(relays.node_key("b"), relays.node_key("c"))
    tasks.empty_draining()
    assert [node.draining for node in relays.living_nodes()] == [False]


def test_an_unknown_node_is_refused(carried: Any) -> None:
    for command in (nodes.drain_node, nodes.undrain_node):
        with pytest.raises(NotFound, match="media worker"):
            command(node="nowhere")


def test_nobody_but_operators_may(carried: Any, valkey: Any) -> None:
    from accounts.services import create_api_key

    host = client_of(carried.host)
    for answer in (host.get("/api/v1/nodes/"), host.post("/api/v1/nodes/a/drain/")):
        assert (answer.status_code, answer.json()["code"]) == (403, "operator.only")
    assert APIClient().get("/api/v1/nodes/").status_code == 401
    for scope, status in (("meetings:write", 403), ("nodes:read", 403), ("nodes:write", 200)):
        _, token = create_api_key(owner_id=carried.operator.pk, name=scope, scopes=[scope])
        bot = APIClient()
        bot.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        assert bot.post("/api/v1/nodes/a/drain/").status_code == status


def test_the_admin_has_a_page_with_a_button_each(carried: Any, valkey: Any) -> None:
    operator = client_of(carried.operator)
    assert b"Media workers" in operator.get("/admin/").content
    page = operator.get("/admin/nodes/").content
    assert page.count(b'value="drain"') == 3
    page = operator.post("/admin/nodes/", {"node": "a", "command": "drain"}, follow=True).content
    assert (page.count(b'value="drain"'), page.count(b'value="undrain"')) == (2, 1)
    assert told(valkey, "b") == [str(carried.meeting_id)]
    page = operator.post("/admin/nodes/", {"node": "nowhere", "command": "drain"}, follow=True).content
    assert b"There is no such media worker." in page
    assert client_of(carried.host).get("/admin/nodes/").status_code == 302


def test_the_command_waits_until_it_is_empty(carried: Any, valkey: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="still has 1 meetings, 2 connections"):
        call_command("drain", "a", "--wait", "--limit", "0")
    services.claim_meeting(meeting_id=carried.meeting_id, node="b", reason="drained")
    show(valkey, "a")
    call_command("drain", "a", "--wait")
    assert "a is empty" in capsys.readouterr().out
    call_command("drain", "a", "--undo")
    assert "a: 0 meetings, in use" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no such media worker"):
        call_command("drain", "nowhere")


def test_without_redis_nobody_can_tell(carried: Any, settings: Any) -> None:
    from common.store import store

    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    store.cache_clear()
    for command in (lambda: nodes.nodes(), lambda: nodes.drain_node(node="a"), lambda: nodes.undrain_node(node="a")):
        with pytest.raises(Unavailable) as no:
            command()
        assert no.value.code == "store.unavailable"
    tasks.empty_draining()

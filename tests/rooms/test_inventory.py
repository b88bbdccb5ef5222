"""The hardware inventory: what operators enter, what devices say of themselves, and what is looked up by an index."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.services import create_user
from common.clock import now
from common.errors import Conflict, Malformed, NotFound, Unknown
from common.ids import new_id
from rooms import inventory
from rooms.models import Device
from rooms.services import create_room
from rooms.words import DeviceState

pytestmark = [pytest.mark.servers, pytest.mark.django_db]


@pytest.fixture
def operator(valkey: Any) -> Any:
    return create_user(username="operator", operator=True)


@pytest.fixture
def camera(operator: Any) -> Device:
    room = create_room(owner_id=operator.pk, title="Blue", slug="blue")
    return inventory.add_device(
        name="Front camera", kind="camera", maker="Acme", model="C1", serial="S-1", room_id=room.pk, consents=True
    )


def activated(device: Device) -> str:
    code, _ = inventory.issue_code(device_id=device.pk)
    return inventory.activate(code=code)[1]


def test_a_device_is_activated_once_by_its_code_and_says_how_it_is(camera: Device) -> None:
    code, until = inventory.issue_code(device_id=camera.pk)
    assert until > now()
    found, token = inventory.activate(code=f" {code[:4].lower()}-{code[4:]} ", serial="s-1")
    assert found.pk == camera.pk
    with pytest.raises(Unknown):
        inventory.activate(code=code)
    heard = inventory.note_heartbeat(device_id=camera.pk, token=token, firmware="1.2", address="10.0.0.9")
    assert (heard.state, heard.firmware, heard.address) == (DeviceState.ONLINE, "1.2", "10.0.0.9")
    heard = inventory.note_heartbeat(device_id=camera.pk, token=token, faults=["lens.blocked"])
    assert (heard.state, heard.faults, heard.firmware) == (DeviceState.FAULTY, ["lens.blocked"], "1.2")
    assert token not in str(Device.objects.values().get(pk=camera.pk))


def test_codes_that_are_old_wrong_or_for_another_are_refused(camera: Device) -> None:
    code, _ = inventory.issue_code(device_id=camera.pk)
    with pytest.raises(Conflict, match="another serial"):
        inventory.activate(code=code, serial="S-2")
    newer, _ = inventory.issue_code(device_id=camera.pk)
    for wrong in (code, "", "  ", "ABCDEFGH"):
        with pytest.raises(Unknown):
            inventory.activate(code=wrong)
    Device.objects.filter(pk=camera.pk).update(activation_until=now() - timedelta(seconds=1))
    with pytest.raises(Unknown):
        inventory.activate(code=newer)


def test_a_device_that_claims_anothers_serial_is_refused_and_nothing_of_it_is_kept(camera: Device) -> None:
    token = activated(camera)
    with pytest.raises(Conflict) as no:
        inventory.note_heartbeat(device_id=camera.pk, token=token, serial="S-2", firmware="evil")
    assert no.value.code == "device.serial-taken"
    nameless = inventory.add_device(name="Spare", kind="camera", maker="acme")
    its = activated(nameless)
    with pytest.raises(Conflict):
        inventory.note_heartbeat(device_id=nameless.pk, token=its, serial="s-1")
    assert {device.firmware for device in Device.objects.all()} == {""}
    with pytest.raises(Conflict):
        inventory.add_device(name="Twin", kind="camera", maker="ACME", serial="s-1")
    inventory.add_device(name="Of another maker", kind="camera", maker="Other", serial="S-1")
    with pytest.raises(Conflict):
        inventory.change_device(device_id=nameless.pk, serial="S-1")


def test_a_token_is_good_for_its_device_alone_and_until_it_is_retired(camera: Device) -> None:
    other = inventory.add_device(name="Other", kind="panel")
    token = activated(camera)
    for device_id, wrong in ((other.pk, token), (camera.pk, ""), (camera.pk, "x"), (new_id(), token)):
        with pytest.raises(Unknown):
            inventory.note_heartbeat(device_id=device_id, token=wrong)
    inventory.retire_device(device_id=camera.pk)
    with pytest.raises(Unknown):
        inventory.note_heartbeat(device_id=camera.pk, token=token)
    with pytest.raises(Conflict):
        inventory.issue_code(device_id=camera.pk)


@pytest.mark.parametrize("name", ["", " ", "x" * 121, "a\x00b"])
def test_a_name_is_a_name(operator: Any, name: str) -> None:
    with pytest.raises(Malformed):
        inventory.add_device(name=name, kind="panel")


def test_who_says_nothing_is_offline_and_online_again_by_itself(camera: Device) -> None:
    token = activated(camera)
    inventory.note_heartbeat(device_id=camera.pk, token=token)
    assert inventory.note_silence(at=now()) == 0
    assert inventory.note_silence(at=now() + timedelta(seconds=40)) == 1
    assert inventory.device_by_id(camera.pk).state == DeviceState.OFFLINE
    assert inventory.note_heartbeat(device_id=camera.pk, token=token).state == DeviceState.ONLINE


def test_a_device_that_consented_is_commanded_as_long_as_it_is_heard(camera: Device) -> None:
    who = camera.pk  # any id will do: meetings stand above rooms
    token = activated(camera)
    assert not inventory.is_preconsented(who)
    inventory.note_heartbeat(device_id=camera.pk, token=token, participant_id=who)
    assert inventory.is_preconsented(who)
    inventory.note_silence(at=now() + timedelta(seconds=40))
    assert not inventory.is_preconsented(who)


def test_the_way_of_a_device_by_rest(operator: Any, camera: Device) -> None:
    client, stranger = APIClient(), APIClient()
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    made = client.post("/api/v1/devices/", {"name": "Panel", "kind": "panel", "room": "blue"}, format="json").json()
    assert (made["state"], made["room"]) == ("new", "blue")
    at = f"/api/v1/devices/{made['id']}/"
    code = client.post(f"{at}code/").json()["code"]
    given = stranger.post("/api/v1/devices/activate/", {"code": code}, format="json").json()
    assert given["device_id"] == made["id"]
    by: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Device {given['token']}"}
    heard = stranger.post(f"{at}heartbeat/", {"firmware": "7"}, "json", **by)
    assert (heard.status_code, heard.json()["state"], heard.json()["name"]) == (200, "online", "Panel")
    for header in ("", "Device x", f"Bearer {given['token']}"):
        assert stranger.post(f"{at}heartbeat/", {}, "json", HTTP_AUTHORIZATION=header).status_code == 401
    for wrong in ({"address": "nowhere"}, {"faults": ["x" * 81]}, {"faults": ["a"] * 33}, {"participant_id": "me"}):
        assert stranger.post(f"{at}heartbeat/", wrong, "json", **by).status_code == 400
    assert [d["name"] for d in client.get("/api/v1/devices/?state=online").json()["results"]] == ["Panel"]
    assert [d["name"] for d in client.get("/api/v1/devices/?serial=S-1").json()["results"]] == ["Front camera"]
    assert client.get("/api/v1/devices/?kind=toaster").status_code == 400
    assert client.patch(at, {"name": "Wall panel", "room": None}, format="json").json()["room"] is None
    assert client.post(f"{at}retire/").json()["state"] == "retired"


LOOK_UPS: dict[str, Callable[[Any], Any]] = {
    "by name": lambda room: Device.objects.order_by("name", "id")[:50],
    "of a room": lambda room: Device.objects.filter(room_id=room).order_by("name", "id")[:50],
    "by serial number": lambda room: Device.objects.filter(serial="S-77"),
    "in a state": lambda room: Device.objects.filter(state="offline"),
    "silent ones": lambda room: Device.objects.filter(state__in=("online", "faulty"), last_seen__lt=now()),
    "of a participant": lambda room: Device.objects.filter(participant_id=room),
    "by code": lambda room: Device.objects.filter(activation="x" * 64),
}


def test_each_look_up_among_twenty_thousand_uses_an_index(camera: Device) -> None:
    states = ["new", "online", "online", "online", "faulty", "retired", "online", "online", "online", "online"]
    Device.objects.bulk_create(
        (
            Device(
                name=f"Device {number:05}",
                kind="display",
                maker="Acme",
                serial=f"N-{number}",
                state=states[number % 10],
                last_seen=now() + timedelta(hours=1),
                room_id=camera.room_id if number % 500 == 0 else None,
                activation=f"{number:064}",
            )
            for number in range(20_000)
        ),
        batch_size=500,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    for name, look_up in LOOK_UPS.items():
        text = look_up(camera.room_id).explain().lower()
        assert "index" in text, (name, text)
        assert "seq scan" not in text, (name, text)


def test_an_unknown_device_is_unknown(operator: Any) -> None:
    with pytest.raises(NotFound):
        inventory.device_by_id(operator.pk)
    with pytest.raises(NotFound):
        inventory.issue_code(device_id=operator.pk)

"""The status pages: what everybody may read, and what only some."""

import threading
import time

import pytest
from django.test import Client

from accounts.models import User
from accounts.services import create_api_key, create_user
from common import probes
from common.probes import Failing
from ops.readiness import LIMIT_S, look

STRANGER = {"REMOTE_ADDR": "198.51.100.7"}


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> dict[str, probes.Probe]:
    """The registered checks, replaced by those that a test puts here."""
    mine: dict[str, probes.Probe] = {"well": lambda: "fine"}
    monkeypatch.setattr(probes, "_probes", mine)
    return mine


def away() -> str:
    raise Failing("gone fishing")


def broken() -> str:
    raise RuntimeError("a secret")


def test_live_is_for_everybody(client: Client) -> None:
    assert client.get("/healthz/live", **STRANGER).content == b"alive\n"


def test_ready_is_200_when_every_check_passes(client: Client, checks: dict[str, probes.Probe]) -> None:
    answer = client.get("/healthz/ready")
    assert answer.status_code == 200
    assert answer.json()["checks"]["well"]["detail"] == "fine"


def test_ready_is_503_and_names_what_is_away(client: Client, checks: dict[str, probes.Probe]) -> None:
    checks["other"] = away
    answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["other"]["ok"] is False
    assert answer.json()["checks"]["other"]["detail"] == "gone fishing"
    assert answer.json()["checks"]["well"]["ok"] is True


def test_a_broken_check_is_a_finding_without_its_secrets(checks: dict[str, probes.Probe]) -> None:
    checks["other"] = broken
    assert look()["other"].detail == "the check itself failed: RuntimeError"


def test_a_silent_check_is_waited_for_once(checks: dict[str, probes.Probe]) -> None:
    gate, starts = threading.Event(), []

    def silent() -> str:
        starts.append(1)
        gate.wait(10)
        return "at last"

    checks["other"] = silent
    began = time.monotonic()
    assert look()["other"].detail == "no answer in time"
    assert look()["other"].ok is False
    assert time.monotonic() - began < 2 * LIMIT_S + 0.5
    assert len(starts) == 1
    gate.set()
    deadline = time.monotonic() + 5
    while not look()["other"].ok:
        assert time.monotonic() < deadline


@pytest.mark.django_db
def test_a_stranger_sees_only_whether_we_are_ready(client: Client, checks: dict[str, probes.Probe]) -> None:
    checks["other"] = away
    answer = client.get("/healthz/ready", **STRANGER)
    assert (answer.status_code, answer.json()) == (503, {"ready": False})
    assert client.get("/metrics", **STRANGER).status_code == 404


@pytest.mark.django_db
def test_what_a_proxy_passes_on_is_not_near(client: Client, checks: dict[str, probes.Probe]) -> None:
    assert client.get("/healthz/ready", headers={"x-forwarded-for": "198.51.100.7"}).json() == {"ready": True}
    assert client.get("/metrics", headers={"x-forwarded-for": "127.0.0.1"}).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(("operator", "status"), [(True, 200), (False, 404)])
def test_operators_see_figures_from_anywhere(client: Client, operator: bool, status: int) -> None:
    client.force_login(create_user(username="somebody", operator=operator), "django.contrib.auth.backends.ModelBackend")
    assert client.get("/metrics", **STRANGER).status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize(("scopes", "status"), [(["nodes:read"], 200), (["rooms:write"], 404)])
def test_an_api_key_needs_the_scope(client: Client, scopes: list[str], status: int) -> None:
    owner: User = create_user(username="somebody")
    _, token = create_api_key(owner_id=owner.pk, name="monitor", scopes=scopes)
    headers = {"authorization": f"Bearer {token}"}
    assert client.get("/metrics", headers=headers, **STRANGER).status_code == status


def test_neighbours_see_the_figures(client: Client) -> None:
    assert b"django_http" in client.get("/metrics").content

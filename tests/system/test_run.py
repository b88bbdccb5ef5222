"""`manage.py run` with everything real: up by itself, back by itself, gone without a trace."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from config.environment import ROOT
from tests.system.installation import Installation, living, until

pytestmark = [pytest.mark.system, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
CHILDREN = {"web", "worker", "beat", "media-0", "valkey"}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("run"))
    try:
        made.until_ready()
        yield made
    finally:
        made.close()


def test_the_first_run_tells_the_operator_the_password_and_where_to_go(installation: Installation) -> None:
    until(lambda: "ready in" in (installation.folder / "output").read_text(), 5)
    said = (installation.folder / "output").read_text()
    assert "first operator: operator, password " in said
    assert f"http://127.0.0.1:{installation.port}/r/hello/" in said
    assert f"http://127.0.0.1:{installation.port} " in said


def test_the_process_is_alive_for_everybody(installation: Installation) -> None:
    assert installation.fetch("/healthz/live") == "alive\n"


def test_metrics_show_web_workers_and_relay_together(installation: Installation) -> None:
    until(lambda: "quorum_" in installation.fetch("/metrics"), 10)
    assert "django_http_requests_total" in installation.fetch("/metrics")


def at_work(installation: Installation, name: str, since: float) -> bool:
    """Whether the new process does what it is for, by its own traces in the store."""
    with redis.Redis(unix_socket_path=str(installation.folder / "valkey.sock"), decode_responses=True) as store:
        match name:
            case "worker" | "beat":
                return float(str(store.get("quorum:ops:heart") or 0)) > since
            case "media-0":
                shown = store.get(f"quorum:relay:node:{installation.environ['QUORUM_NODE']}-0")
                return bool(shown) and json.loads(str(shown))["pid"] in installation.processes()
            case _:
                return True


@pytest.mark.parametrize("name", ["web", "worker", "beat", "media-0", "valkey"])
def test_a_killed_child_is_back_by_itself(installation: Installation, name: str) -> None:
    installation.until_ready()
    killed = installation.child(name)
    others = {pid for pid, child in installation.processes().items() if child in CHILDREN - {name}}
    os.kill(killed, signal.SIGKILL)
    until(lambda: killed not in installation.processes(), 5)
    at = time.time()
    until(lambda: name in installation.processes().values(), 10, installation.said)
    installation.until_ready(30)
    until(lambda: at_work(installation, name, at), 15, installation.said)
    assert others <= set(installation.processes()), "only the killed one was started again"


def test_a_second_run_on_the_same_folder_is_refused_by_name(installation: Installation) -> None:
    second = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "run"], env=installation.environ, capture_output=True, text=True
    )
    assert second.returncode == 2
    assert f"already running (process {installation.process.pid})" in second.stderr


def test_a_taken_port_is_named_with_what_to_do(installation: Installation, tmp_path: Path) -> None:
    environ = {**installation.environ, "QUORUM_STATE_DIR": str(tmp_path)}
    second = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "run"], env=environ, capture_output=True, text=True
    )
    assert second.returncode == 2
    assert f"TCP port {installation.port} on 127.0.0.1 is taken" in second.stderr
    assert "QUORUM_HTTP_PORT=" in second.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_behind(tmp_path: Path, number: signal.Signals) -> None:
    made = Installation(tmp_path)
    try:
        made.until_ready()
        were = made.processes()
        assert set(were.values()) >= CHILDREN
        os.kill(made.process.pid, number)
        status = made.process.wait(timeout=20)
        assert status == (0 if number != signal.SIGKILL else -signal.SIGKILL)
        until(lambda: not any(living(pid) for pid in were), 5, lambda: str([pid for pid in were if living(pid)]))
    finally:
        made.close()


def test_a_second_run_finds_everything_prepared(tmp_path: Path) -> None:
    made = Installation(tmp_path)
    try:
        made.until_ready()
        made.process.send_signal(signal.SIGINT)
        made.process.wait(timeout=20)
        made.output.close()
        (tmp_path / "output").write_text("")
        made.start()
        made.until_ready()
        assert "first operator" not in (tmp_path / "output").read_text()
    finally:
        made.close()


def test_for_a_lan_it_serves_https_with_its_own_certificate(tmp_path: Path) -> None:
    made = Installation(tmp_path, "--host", "127.0.0.1")
    try:
        made.until_ready()
        assert made.fetch("/healthz/live") == "alive\n"
        until(lambda: "ready in" in (tmp_path / "output").read_text(), 5)
        assert f"https://127.0.0.1:{made.port}" in (tmp_path / "output").read_text()
    finally:
        made.close()

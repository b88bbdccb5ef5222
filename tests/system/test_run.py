"""`manage.py run` with everything real: up by itself, back by itself, gone without a trace."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from config.environment import ROOT

pytestmark = [pytest.mark.system, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
START_LIMIT_S = 60.0
CHILDREN = {"web", "worker", "beat", "media-0", "valkey"}


def free_port() -> int:
    """A port free for TCP and UDP just now."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def until(condition: Callable[[], bool], limit_s: float, what: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {limit_s} s in vain. {what()}"
        time.sleep(0.05)


def living(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Installation:
    """One `manage.py run` on a state folder and ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.environ = {
            **{name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "DATABASE_URL")},
            "QUORUM_STATE_DIR": str(folder),
            "QUORUM_HTTP_PORT": str(self.port),
            "QUORUM_MEDIA_PORT": str(free_port()),
            "QUORUM_NODE": f"test-{self.port}",
        }
        self.start()

    def start(self) -> None:
        self.output = (self.folder / "output").open("a+")
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "run"],
            env=self.environ,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )

    def said(self) -> str:
        logs = {path.name: path.read_text()[-1500:] for path in (self.folder / "log").glob("*.log")}
        return (self.folder / "output").read_text() + json.dumps(logs, indent=1)

    def checks(self) -> dict[str, bool]:
        """Which checks pass; empty while nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz/ready", timeout=5) as answer:
                body = json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                body = json.load(refused)
        except OSError:
            return {}
        return {name: check["ok"] for name, check in body["checks"].items()}

    def ready(self) -> bool:
        checks = self.checks()
        return bool(checks) and all(checks.values())

    def until_ready(self, limit_s: float = START_LIMIT_S) -> None:
        until(self.ready, limit_s, lambda: f"{self.checks()} {self.said()}")

    def processes(self) -> dict[int, str]:
        """The supervisor and everything below it that lives: process id to name of its child."""
        children: dict[int, list[int]] = {}
        groups: dict[int, int] = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, parent, group = path.read_text().rpartition(")")[2].split()[:3]
            except OSError:
                continue
            if state != "Z":
                children.setdefault(int(parent), []).append(int(path.parent.name))
                groups[int(path.parent.name)] = int(group)
        found: list[int] = [self.process.pid]
        for pid in found:
            found += children.get(pid, [])
        return {pid: self.name_of(groups[pid]) for pid in found if pid in groups}

    def name_of(self, leader: int) -> str:
        """Which child a process group belongs to, by the log that its leader writes to."""
        try:
            return Path(f"/proc/{leader}/fd/1").readlink().stem
        except OSError:
            return ""

    def child(self, name: str) -> int:
        """The process that the supervisor started under this name."""
        return min(pid for pid, child in self.processes().items() if child == name)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.output.close()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("run"))
    try:
        made.until_ready()
        yield made
    finally:
        made.close()


def fetch(installation: Installation, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{installation.port}{path}", timeout=5) as answer:
        text: str = answer.read().decode()
        return text


def test_the_first_run_tells_the_operator_the_password_and_where_to_go(installation: Installation) -> None:
    until(lambda: "ready in" in (installation.folder / "output").read_text(), 5)
    said = (installation.folder / "output").read_text()
    assert "first operator: operator, password " in said
    assert f"http://127.0.0.1:{installation.port}/r/hello/" in said
    assert f"http://127.0.0.1:{installation.port} " in said


def test_the_process_is_alive_for_everybody(installation: Installation) -> None:
    assert fetch(installation, "/healthz/live") == "alive\n"


def test_metrics_show_web_workers_and_relay_together(installation: Installation) -> None:
    until(lambda: "quorum_" in fetch(installation, "/metrics"), 10)
    assert "django_http_requests_total" in fetch(installation, "/metrics")


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


def test_a_second_run_is_up_in_seconds(tmp_path: Path) -> None:
    made = Installation(tmp_path)
    try:
        made.until_ready()
        made.process.send_signal(signal.SIGINT)
        made.process.wait(timeout=20)
        made.output.close()
        began = time.monotonic()
        made.start()
        made.until_ready()
        assert time.monotonic() - began < 8
    finally:
        made.close()

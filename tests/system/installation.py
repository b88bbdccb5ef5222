"""One `manage.py run` on a state folder and ports of its own, and what is asked of it."""

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from config.environment import ROOT

START_LIMIT_S = 90.0
SERVERS = ("REDIS_URL", "DATABASE_URL", "CELERY_BROKER_URL")
"""Not inherited: each installation says by itself what it stands on."""


def free_port(count: int = 1) -> int:
    """The first of so many ports in a row that are free for TCP and UDP just now."""
    while True:
        with contextlib.ExitStack() as held:
            port = 0
            try:
                for offset in range(count):
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        opened = held.enter_context(socket.socket(type=kind))
                        opened.bind(("127.0.0.1", port + offset if port else 0))
                        port = port or opened.getsockname()[1]
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

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        self.folder = folder
        self.arguments = arguments
        self.port = free_port()
        self.environ = {
            **{name: value for name, value in os.environ.items() if name not in SERVERS},
            "QUORUM_STATE_DIR": str(folder),
            "QUORUM_HTTP_PORT": str(self.port),
            "QUORUM_MEDIA_PORT": str(free_port(int(variables.get("QUORUM_MEDIA_WORKERS", 1)))),
            "QUORUM_NODE": f"test-{self.port}",
            **variables,
        }
        self.start()

    def start(self) -> None:
        self.output = (self.folder / "output").open("a+")
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "run", *self.arguments],
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
            body = json.loads(self.fetch("/healthz/ready"))
        except urllib.error.HTTPError as refused:
            with refused:
                body = json.load(refused)
        except OSError:
            return {}
        return {name: check["ok"] for name, check in body["checks"].items()}

    def fetch(self, path: str) -> str:
        """A page's text; over TLS only if our own certificate is shown."""
        certificate = self.folder / "certificate.pem"
        trust = ssl.create_default_context(cafile=str(certificate)) if certificate.exists() else None
        scheme = "https" if trust else "http"
        with urllib.request.urlopen(f"{scheme}://127.0.0.1:{self.port}{path}", timeout=5, context=trust) as answer:
            text: str = answer.read().decode()
            return text

    def ready(self) -> bool:
        checks = self.checks()
        return bool(checks) and all(checks.values())

    def until_ready(self, limit_s: float = START_LIMIT_S) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, f"it has ended. {self.said()}"
            return self.ready()

        until(ready, limit_s, lambda: f"{self.checks()} {self.said()}")

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

"""A whole Quorum for a test: `manage.py run` on a state folder and ports of its own."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from config.environment import ROOT

START_LIMIT_S = 90.0
NOT_INHERITED = ("REDIS_URL", "DATABASE_URL", "CELERY_BROKER_URL")


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
    """Wait for a condition."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {limit_s} s in vain. {what()}"
        time.sleep(0.05)


class Installation:
    """One `manage.py run`. `more` are further variables of its environment."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.node = f"test-{self.port}"
        self.environ = {
            **{name: value for name, value in os.environ.items() if name not in NOT_INHERITED},
            "QUORUM_STATE_DIR": str(folder),
            "QUORUM_HTTP_PORT": str(self.port),
            "QUORUM_MEDIA_PORT": str(free_port()),
            "QUORUM_NODE": self.node,
            **more,
        }
        self.start()

    def start(self) -> None:
        """Start it, again perhaps."""
        self.output = (self.folder / "output").open("a+")
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "run"],
            env=self.environ,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )

    def said(self) -> str:
        """Everything that it said, for a failure's message."""
        logs = {path.name: path.read_text()[-1500:] for path in (self.folder / "log").glob("*.log")}
        return (self.folder / "output").read_text() + json.dumps(logs, indent=1)

    def checks(self) -> dict[str, bool]:
        """Which checks pass; empty while nothing answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz/ready", timeout=5) as answer:
                body = json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                body = json.load(refused)
        except OSError:
            return {}
        return {name: check["ok"] for name, check in body["checks"].items()}

    def ready(self) -> bool:
        """Every check passes."""
        checks = self.checks()
        return bool(checks) and all(checks.values())

    def until_ready(self, limit_s: float = START_LIMIT_S) -> None:
        """Wait until every check passes."""
        until(self.ready, limit_s, lambda: f"{self.checks()} {self.said()}")

    def processes(self) -> dict[int, str]:
        """Every living process of this installation: process id to command line."""
        mark = f"QUORUM_STATE_DIR={self.folder}".encode()
        found = {}
        for path in Path("/proc").iterdir():
            try:
                if path.name.isdigit() and mark in (path / "environ").read_bytes().split(b"\0"):
                    command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if command:
                        found[int(path.name)] = command
            except OSError:
                continue
        return found

    def child(self, mark: str) -> int:
        """The eldest process whose command line has the mark."""
        return min(pid for pid, command in self.processes().items() if mark in command)

    def close(self) -> None:
        """End it at once."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.output.close()

    # --- REST, with a key of the first operator ---------------------------------------------------------------------
    @property
    def password(self) -> str:
        """The first operator's, as it was printed once."""
        found = re.search(r"first operator: operator, password (\S+)", (self.folder / "output").read_text())
        assert found is not None
        return found[1]

    @cached_property
    def key(self) -> str:
        """An API key that may do everything."""
        scopes = [part for area in ("rooms", "meetings") for part in ("--scope", f"{area}:write")]
        made = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "api_key", "test", *scopes],
            env=self.environ,
            capture_output=True,
            text=True,
            check=True,
        )
        return made.stdout.strip()

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A REST request; the answer's JSON. Raise HTTPError for a refusal."""
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=15) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """POST."""
        return self.ask("POST", path, body or {})

    def get(self, path: str) -> Any:
        """GET."""
        return self.ask("GET", path)

    def open_meeting(self) -> str:
        """The id of the meeting that runs."""
        (meeting,) = self.get("/api/v1/meetings/?open=true")["results"]
        return str(meeting["id"])

    def end_meetings(self) -> None:
        """End all that run."""
        for meeting in self.get("/api/v1/meetings/?open=true")["results"]:
            self.post(f"/api/v1/meetings/{meeting['id']}/end/")

"""Redis or the database is away for some seconds: refusals with a code, nothing broken, one state afterwards."""

import contextlib
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests import servers
from tests.system.installation import until
from tests.system.operated import Operated

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
AWAY_S = 5.0


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Operated]:
    made = Operated(tmp_path, QUORUM_WEB_PROCESSES="1")
    try:
        made.until_ready()
        yield made
    finally:
        made.close()


@pytest.fixture
def on_postgres(tmp_path: Path) -> Iterator[Operated]:
    if absent := servers.missing():
        pytest.skip(f"not installed: {', '.join(absent)}")
    with servers.postgres() as address:
        made = Operated(tmp_path, QUORUM_WEB_PROCESSES="1", DATABASE_URL=address)
        try:
            made.until_ready()
            yield made
        finally:
            made.close()


class Page:
    """One joined socket, and every line that it was told."""

    def __init__(self, quorum: Operated, name: str) -> None:
        self.ticket = quorum.post("/api/v1/rooms/hello/tickets/", {"name": name})
        self.id = self.ticket["participant_id"]
        self.quorum = quorum
        self.lines: dict[int, dict[str, Any]] = {}
        self.refused: list[str] = []

    @contextlib.contextmanager
    def inside(self) -> Iterator[ClientConnection]:
        address = f"ws://127.0.0.1:{self.quorum.port}{self.ticket['socket_path']}"
        with connect(address, origin=Origin(self.quorum.url), open_timeout=10) as link:
            link.send(json.dumps({"type": "join", "ticket": self.ticket["ticket"]}))
            self.start = self.hear(link, lambda m: m["type"] == "welcomed")["state"]["sequence"]
            yield link

    def hear(self, link: ClientConnection, wanted: Callable[[dict[str, Any]], bool], limit_s: float = 20) -> Any:
        deadline = time.monotonic() + limit_s
        while True:
            message = json.loads(link.recv(timeout=max(0.1, deadline - time.monotonic())))
            if "sequence" in message and message["type"] != "headed":
                assert message["sequence"] not in self.lines, "a line came twice"
                self.lines[message["sequence"]] = message
            if message["type"] == "refused":
                self.refused.append(message["code"])
            if wanted(message):
                return message


def asked(quorum: Operated, method: str, path: str) -> tuple[int, str]:
    """The status, and the code of a refusal."""
    try:
        quorum.ask(method, path, {} if method == "POST" else None)
    except urllib.error.HTTPError as no:
        with no:
            body = no.read()
        assert no.headers["Content-Type"] == "application/problem+json", body[:300]
        return no.code, json.loads(body)["code"]
    return 200, ""


@contextlib.contextmanager
def stopped(processes: list[int]) -> Iterator[None]:
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def postgres_processes(quorum: Operated) -> list[int]:
    """The server of this installation and its backends: the one that was started on its port, and its children."""
    port = quorum.environ["DATABASE_URL"].rpartition(":")[2].partition("/")[0]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if words[0].endswith(b"postgres") and port.encode() in words:
                found.append(int(folder.name))
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) in found[:1]:
                found.append(int(folder.name))
    return found


def test_five_seconds_without_redis(embedded: Operated) -> None:
    ann = Page(embedded, "Ann")
    with ann.inside() as link:
        meeting = f"/api/v1/meetings/{ann.ticket['meeting_id']}/"
        answers: list[tuple[str, int, str]] = []
        with stopped([embedded.child("valkey")]):
            began = time.monotonic()
            link.send(json.dumps({"type": "say", "id": "1", "text": "still here"}))
            link.send(json.dumps({"type": "offer", "id": "o", "connection": "send", "sdp": "v=0"}))
            on = True
            while time.monotonic() - began < AWAY_S:
                for method, path in (
                    ("POST", f"{meeting}participants/{ann.id}/{'mute' if on else 'unmute'}/"),
                    ("GET", meeting),
                    ("GET", "/api/v1/nodes/"),
                    ("POST", "/api/v1/rooms/hello/meetings/"),
                ):
                    answers.append((path, *asked(embedded, method, path)))
                on = not on
            ann.hear(link, lambda m: m.get("id") == "1" and m["type"] == "done")
        assert {(status, code) for _, status, code in answers} <= {(200, ""), (503, "store.unavailable")}
        assert (503, "store.unavailable") in {(s, c) for p, s, c in answers if p.endswith("nodes/")}
        assert all(status == 200 for path, status, _ in answers if not path.endswith("nodes/"))
        head = embedded.get(meeting)["sequence"]
        ann.hear(link, lambda m: m["type"] == "headed" and m["sequence"] >= head and head in {*ann.lines, ann.start})
        assert sorted(ann.lines) == list(range(ann.start + 1, head + 1)), "each line once"
        assert ann.refused == ["relay.unavailable"], "the offer alone, and by its reason"
    embedded.until_ready(30)
    assert [p["state"] for p in embedded.get(f"{meeting}participants/")["results"]] == ["present"]


def test_five_seconds_of_a_silent_database(on_postgres: Operated) -> None:
    ann = Page(on_postgres, "Ann")
    with ann.inside() as link:
        meeting = f"/api/v1/meetings/{ann.ticket['meeting_id']}/"
        with stopped(postgres_processes(on_postgres)):
            began = time.monotonic()
            link.send(json.dumps({"type": "say", "id": "1", "text": "queued"}))
            while time.monotonic() - began < AWAY_S:
                assert on_postgres.fetch("/healthz/live") == "alive\n"
                assert on_postgres.checks()["database"] is False
        ann.hear(link, lambda m: m.get("id") == "1" and m["type"] == "done")
        assert asked(on_postgres, "POST", f"{meeting}participants/{ann.id}/mute/") == (200, "")
        head = on_postgres.get(meeting)["sequence"]
        ann.hear(link, lambda m: m["type"] == "headed" and m["sequence"] >= head)
        assert sorted(ann.lines) == list(range(ann.start + 1, head + 1))
        assert ann.refused == []


def test_a_database_that_refuses(on_postgres: Operated) -> None:
    ann = Page(on_postgres, "Ann")
    with ann.inside() as link:
        meeting = f"/api/v1/meetings/{ann.ticket['meeting_id']}/"
        processes = postgres_processes(on_postgres)
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        until(
            lambda: (
                not any(
                    Path(f"/proc/{p}/cmdline").exists() and Path(f"/proc/{p}/cmdline").read_bytes() for p in processes
                )
            ),
            10,
        )
        assert asked(on_postgres, "GET", meeting) == (503, "database.unavailable")
        with pytest.raises(urllib.error.HTTPError) as no:
            on_postgres.fetch("/r/hello/")
        with no.value as page:
            assert (page.code, page.headers["Refresh"]) == (503, "3")
        link.send(json.dumps({"type": "say", "id": "1", "text": "lost"}))
        refusal = ann.hear(link, lambda m: m["type"] == "refused" and m.get("id") == "1", 40)
        assert refusal["code"] == "database.unavailable"

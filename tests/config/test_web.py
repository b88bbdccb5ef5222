"""The web processes of a whole Quorum: limits at their edge, and sockets that move when one ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from config.environment import ROOT
from config.web import BODY_BYTES, HEADERS_WITHIN_S
from tests.system.installation import until
from tests.system.operated import Operated

pytestmark = [pytest.mark.system, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]


@pytest.fixture(scope="module")
def quorum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    made = Operated(tmp_path_factory.mktemp("web"), QUORUM_WEB_PROCESSES="2")
    try:
        made.until_ready()
        yield made
    finally:
        made.close()


def answer_to(quorum: Operated, sent: list[bytes], limit_s: float = 20.0) -> bytes:
    """What comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", quorum.port), timeout=limit_s) as link:
        for part in sent:
            link.sendall(part)
        told = b""
        while chunk := link.recv(65536):
            told += chunk
        return told


def test_a_body_that_is_too_large_is_answered_before_it_is_read(quorum: Operated) -> None:
    size = 150_000_000
    head = f"POST /api/v1/rooms/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode()
    told = answer_to(quorum, [head, b"x" * 100_000])
    assert told.startswith(b"HTTP/1.1 413 ")
    assert json.loads(told.partition(b"\r\n\r\n")[2])["code"] == "body.too-large"


def test_a_body_in_chunks_is_counted(quorum: Operated) -> None:
    head = b"POST /api/v1/rooms/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    piece = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    told = answer_to(quorum, [head, *[piece] * (BODY_BYTES // 0x100000 + 1)])
    assert told.startswith(b"HTTP/1.1 413 ")


def test_what_fits_is_for_django_to_answer(quorum: Operated) -> None:
    head = b"POST /api/v1/rooms/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n"
    assert answer_to(quorum, [head, b"x" * 1_000_000]).startswith(b"HTTP/1.1 401 ")


def test_headers_that_dawdle_are_cut_off(quorum: Operated) -> None:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", quorum.port), timeout=1) as link:
        link.sendall(b"GET / HTTP/1.1\r\n")
        closed = False
        while not closed:
            assert time.monotonic() - began < HEADERS_WITHIN_S + 5
            try:
                link.sendall(b"X: y\r\n")
                closed = link.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                closed = True
    assert time.monotonic() - began > HEADERS_WITHIN_S - 1


@contextmanager
def inside(quorum: Operated, ticket: dict[str, Any]) -> Iterator[ClientConnection]:
    """A socket that has joined."""
    address = f"ws://127.0.0.1:{quorum.port}{ticket['socket_path']}"
    with connect(address, origin=Origin(quorum.url), open_timeout=10) as opened:
        opened.send(json.dumps({"type": "join", "ticket": ticket["ticket"]}))
        hear(opened, "welcomed")
        yield opened


def hear(opened: ClientConnection, type_: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(opened.recv(timeout=10))
        if message["type"] == type_:
            return message


def serving(quorum: Operated) -> set[int]:
    return {pid for pid, name in quorum.processes().items() if name in ("web", "web-1")}


def moves(quorum: Operated, ticket: dict[str, Any], old: ClientConnection) -> None:
    """The page's part: open a new socket when told, then see the old one closed, not as for a second window."""
    assert 0 < hear(old, "handed-over")["withinMs"] <= 5000
    with inside(quorum, ticket):
        with pytest.raises(ConnectionClosedError):
            while True:
                assert json.loads(old.recv(timeout=10))["type"] != "refused"
        assert old.close_code == 4503


def test_a_reload_moves_every_socket_to_new_processes(quorum: Operated) -> None:
    until(lambda: len(serving(quorum)) == 2, 15)
    ticket = quorum.post("/api/v1/rooms/hello/tickets/", {"name": "Ann"})
    with inside(quorum, ticket) as old:
        were = serving(quorum)
        subprocess.run([sys.executable, str(ROOT / "manage.py"), "reload"], env=quorum.environ, check=True)
        moves(quorum, ticket, old)
    until(lambda: not were & serving(quorum) and len(serving(quorum)) == 2, 15, quorum.said)
    assert quorum.ready()


def test_a_web_process_that_is_ended_lets_its_sockets_go_to_the_other(quorum: Operated) -> None:
    until(lambda: len(serving(quorum)) == 2, 15)
    ticket = quorum.post("/api/v1/rooms/hello/tickets/", {"name": "Bob"})
    with inside(quorum, ticket) as old:
        (its,) = [web for web in serving(quorum) if owns(web, old)]
        os.kill(its, signal.SIGTERM)
        moves(quorum, ticket, old)
    until(lambda: len(serving(quorum)) == 2, 15, quorum.said)


def test_after_a_web_process_was_killed_the_other_answers_at_once(quorum: Operated) -> None:
    until(lambda: len(serving(quorum)) == 2, 15)
    ticket = quorum.post("/api/v1/rooms/hello/tickets/", {"name": "Cem"})
    with inside(quorum, ticket) as old:
        (its,) = [web for web in serving(quorum) if owns(web, old)]
        others = serving(quorum) - {its}
        os.kill(its, signal.SIGKILL)
        with inside(quorum, ticket) as again:
            assert any(owns(web, again) for web in others)


def owns(process_id: int, link: ClientConnection) -> bool:
    """Whether the process holds the other end of the connection."""
    port = f":{link.local_address[1]:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {f"socket:[{row[9]}]" for row in rows if row[2].endswith(port)}
    return any(str(file.readlink()) in inodes for file in Path(f"/proc/{process_id}/fd").iterdir() if file.is_symlink())

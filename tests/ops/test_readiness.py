"""Each dependency, really away: refused, silent or empty. One process for each case, since settings are read once."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from config.environment import ROOT, Environment, valkey_socket
from config.processes import processes

LOOK = """
import json, time, django
django.setup()
from dataclasses import asdict
from ops.readiness import look
began = time.monotonic()
found = look()
print(json.dumps({"took_s": time.monotonic() - began, **{name: asdict(finding) for name, finding in found.items()}}))
"""
NOWHERE = "127.0.0.1:1"


def looked(folder: Path, **variables: str) -> dict[str, dict[str, object]]:
    environ = {**os.environ, "QUORUM_STATE_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings", **variables}
    run = subprocess.run([sys.executable, "-c", LOOK], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    found: dict[str, dict[str, object]] = json.loads(run.stdout)
    assert float(str(found.pop("took_s"))) < 0.9
    return found


def failing(found: dict[str, dict[str, object]]) -> set[str]:
    return {name for name, finding in found.items() if not finding["ok"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder with tables, the embedded Valkey, a worker's heart and a relay in it."""
    folder = tmp_path_factory.mktemp("state")
    environ = {**os.environ, "QUORUM_STATE_DIR": str(folder)}
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "prepare"], env=environ, check=True, stdout=subprocess.DEVNULL
    )
    env = Environment(state_dir=folder)
    server = subprocess.Popen(processes(env, 0)[0].argv, stdout=subprocess.DEVNULL)
    client = redis.Redis(unix_socket_path=str(valkey_socket(env)))
    deadline = time.monotonic() + 5
    while not valkey_socket(env).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    client.set("quorum:ops:heart", repr(time.time() + 3600))
    client.set("quorum:relay:node:here-0", '{"relay_id":"r","node":"here-0","pid":1,"host":"here"}')
    yield folder
    client.close()
    server.terminate()
    server.wait()


def test_everything_is_there(folder: Path) -> None:
    found = looked(folder)
    assert set(found) == {"database", "migrations", "store", "broker", "workers", "media"}
    assert failing(found) == set(), found


def test_a_refusing_database_is_named_alone(folder: Path) -> None:
    found = looked(folder, DATABASE_URL=f"postgres://nobody@{NOWHERE}/none")
    assert failing(found) == {"database", "migrations"}
    assert found["database"]["detail"] == "OperationalError"


def test_a_refusing_store_takes_with_it_what_is_read_from_it(folder: Path) -> None:
    found = looked(folder, REDIS_URL=f"redis://{NOWHERE}", CELERY_BROKER_URL=f"redis+socket://{folder}/valkey.sock")
    assert failing(found) == {"store", "workers", "media"}


def test_a_refusing_broker_is_named_alone(folder: Path) -> None:
    assert failing(looked(folder, CELERY_BROKER_URL=f"redis://{NOWHERE}")) == {"broker"}


def test_silent_servers_cost_half_a_second_and_no_more(folder: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        found = looked(
            folder,
            DATABASE_URL=f"postgres://nobody@127.0.0.1:{port}/none",
            REDIS_URL=f"redis://127.0.0.1:{port}",
            CELERY_BROKER_URL=f"redis://127.0.0.1:{port}",
        )
    assert failing(found) == set(found)
    assert found["database"]["detail"] == "no answer in time"


def test_tables_of_another_version_are_not_ready(tmp_path: Path, folder: Path) -> None:
    found = looked(folder, DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    assert failing(found) == {"migrations"}


def test_an_empty_store_has_no_worker_and_no_relay(folder: Path) -> None:
    found = looked(folder, REDIS_URL=f"unix://{folder}/valkey.sock?db=1")
    assert failing(found) == {"workers", "media"}
    assert found["workers"]["detail"] == "no worker has run a job yet"
    assert found["media"]["detail"] == "no relay is alive"

"""`manage.py run`: one machine's processes, from nothing to a page that answers. No Django here: it stays small."""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from config.environment import ROOT, BadEnvironment, Environment, parse, valkey_socket
from config.processes import MANAGE, processes
from ops.ports import PortTaken, listen, require_free
from ops.supervision import Supervisor

PATIENCE_S = 15.0
"""Readiness that takes longer than this is explained, and again after each such time."""


class AlreadyRunning(Exception):
    """Another supervisor holds this state folder."""


def main(arguments: Sequence[str]) -> int:
    """Start every process and keep it up until Ctrl-C; the exit status."""
    parser = argparse.ArgumentParser(prog="manage.py run", description=main.__doc__)
    parser.add_argument("--host", default="", help="serve a LAN at this address, by HTTPS (self-signed)")
    host = parser.parse_args(arguments).host
    try:
        os.environ.update(meant_by_host(host, dict(os.environ)))
        return _run(parse(dict(os.environ)))
    except (BadEnvironment, PortTaken, AlreadyRunning) as reason:
        print(f"quorum: {reason}", file=sys.stderr)  # noqa: T201
        return 2
    except subprocess.CalledProcessError as reason:
        return reason.returncode


def meant_by_host(host: str, given: dict[str, str]) -> dict[str, str]:
    """The variables that `--host` stands for; those that were given stay as they are. Raise BadEnvironment."""
    if not host:
        return {}
    try:
        address = str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError as reason:
        raise BadEnvironment(f"HOST: {host} is not an address here: {reason.strerror}") from None
    meant = {
        "QUORUM_HTTP_ADDRESS": address,
        "QUORUM_TLS": "true",
        "QUORUM_HOSTS": ",".join(dict.fromkeys((host, address))),
        "QUORUM_MEDIA_ADDRESS": address,
        "QUORUM_MEDIA_ADDRESSES": address,
    }
    return {name: value for name, value in meant.items() if not given.get(name)}


def address_of(env: Environment) -> str:
    """What to type into a browser."""
    host = f"[{env.http_address}]" if ":" in env.http_address else env.http_address
    return f"{'https' if env.tls else 'http'}://{host}:{env.http_port}"


def _run(env: Environment) -> int:
    began = time.monotonic()
    env.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _lock(env.state_dir / "run.lock"):
        listening = listen(env.http_address, env.http_port, "QUORUM_HTTP_PORT")
        for slot in range(env.media_workers):
            require_free(env.media_address, env.media_port + slot, "QUORUM_MEDIA_PORT")
        metrics = env.state_dir / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir()
        if not env.redis_url:
            valkey_socket(env).unlink(missing_ok=True)
        # Fewer malloc arenas: threads that share them cost a little speed and save tens of megabytes. Celery's checks
        # would load every address and page into workers; `prepare` and our own checks have looked already.
        os.environ.update(PROMETHEUS_MULTIPROC_DIR=str(metrics), MALLOC_ARENA_MAX="2", CELERY_SKIP_CHECKS="1")
        _prepare(env)
        supervisor = Supervisor(processes(env, listening.fileno()), env.state_dir / "log", say=_say, metrics=metrics)
        supervisor.run(between=_Announcement(env, began))
    return 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


class _lock:  # noqa: N801
    """Hold the state folder against a second supervisor; the file names the one that holds it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip() or "?"
            raise AlreadyRunning(
                f"already running (process {holder}) on {self._path.parent}; "
                "end it, or give this one a folder of its own: QUORUM_STATE_DIR=..."
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _prepare(env: Environment) -> None:
    """Migrate and make the first operator in a process that ends, so that this one stays small; skipped when it can."""
    done = env.state_dir / "prepared"
    state = _fingerprint(env)
    if env.mode == "embedded" and done.exists() and done.read_text() == state:
        return
    subprocess.run([*MANAGE, "prepare"], check=True)
    done.write_text(state)


def _fingerprint(env: Environment) -> str:
    """Changes whenever `prepare` could have something to do."""
    seen = hashlib.sha256(repr((env.database_url, env.tls, env.hosts, sys.version)).encode())
    for file in sorted([*ROOT.glob("*/migrations/*.py"), ROOT / "requirements.txt"]):
        if file.exists():
            seen.update(f"{file.relative_to(ROOT)} {file.stat().st_mtime_ns}".encode())
    if not env.database_url:
        database = env.state_dir / "quorum.sqlite3"
        seen.update(str(database.exists() and database.stat().st_ino).encode())
    return seen.hexdigest()


class _Announcement:
    """Asks the web process until everything is ready, then says where to go, once."""

    def __init__(self, env: Environment, began: float) -> None:
        self._env = env
        self._began = self._last_word = began
        self._said = False

    def __call__(self) -> float:
        """Seconds until it wants to be called again."""
        if self._said:
            return 60.0
        now = time.monotonic()
        ready, missing = self._ask()
        if ready:
            self._said = True
            _say(f"ready in {now - self._began:.1f} s: {address_of(self._env)}   (Ctrl-C ends it)")
        elif now - self._last_word > PATIENCE_S:
            self._last_word = now
            _say(f"still waiting for {missing}; the logs are in {self._env.state_dir / 'log'}")
        return 0.1 if now - self._began < PATIENCE_S else 1.0

    def _ask(self) -> tuple[bool, str]:
        host = self._env.http_address
        try:
            with socket.create_connection((host, self._env.http_port), timeout=1.0) as plain:
                link = plain
                if self._env.tls:
                    import ssl

                    trust = ssl.create_default_context(cafile=str(self._env.state_dir / "certificate.pem"))
                    trust.check_hostname = False
                    link = trust.wrap_socket(plain)
                asked = f"GET /healthz/ready HTTP/1.0\r\nHost: {self._env.hosts[0]}\r\n\r\n"
                link.sendall(asked.encode())
                answer = b""
                while chunk := link.recv(65536):
                    answer += chunk
        except OSError:
            return False, "the web process"
        head, _, body = answer.partition(b"\r\n\r\n")
        if b" 200 " in head.partition(b"\r\n")[0]:
            return True, ""
        try:
            checks = json.loads(body)["checks"]
        except (ValueError, KeyError, TypeError):
            return False, "the web process"
        return False, ", ".join(name for name, check in checks.items() if not check["ok"])

"""Real servers for tests: PostgreSQL, redis-server and RabbitMQ, each in a temporary folder, gone afterwards."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

POSTGRES = Path("/usr/lib/postgresql/15/bin")
START_WITHIN_S = 30.0
RABBITMQ_WITHIN_S = 90.0


def missing() -> list[str]:
    """The programs that are not installed."""
    absent = [str(POSTGRES / name) for name in ("initdb", "postgres") if not (POSTGRES / name).exists()]
    return absent + [name for name in ("redis-server", "rabbitmq-server") if not shutil.which(name)]


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A fresh PostgreSQL on the loopback; its DATABASE_URL. As root it runs as an unprivileged user, as it insists."""
    root = os.getuid() == 0
    account = pwd.getpwnam("postgres" if root else pwd.getpwuid(os.getuid()).pw_name)
    as_user = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"] if root else []
    folder = Path(tempfile.mkdtemp(prefix="quorum-postgres-"))
    if root:
        os.chown(folder, account.pw_uid, account.pw_gid)
    port = free_port()
    data = folder / "data"
    try:
        init = ["initdb", "-D", str(data), "-U", "quorum", "-A", "trust", "-E", "UTF8", "--no-sync"]
        _run([*as_user, str(POSTGRES / init[0]), *init[1:]], folder)
        options = ["-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]
        # A crash of the machine may lose a test's database; nothing else in a test may be faster than in earnest.
        options += ["-c", "fsync=off", "-c", "max_connections=60"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*as_user, str(POSTGRES / "postgres"), *options], stdout=log, stderr=log, cwd=folder
            )
        try:
            _wait(port, server, folder / "log")
            yield f"postgres://quorum@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """A fresh redis-server on the loopback; its REDIS_URL."""
    with tempfile.TemporaryDirectory(prefix="quorum-redis-") as folder:
        port = free_port()
        log_path = Path(folder) / "log"
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder]
        with log_path.open("wb") as log:
            server = subprocess.Popen(["redis-server", *options], stdout=log, stderr=log)
        try:
            _wait(port, server, log_path)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(10)


@contextlib.contextmanager
def rabbitmq() -> Iterator[str]:
    """A fresh RabbitMQ on the loopback; its CELERY_BROKER_URL."""
    with tempfile.TemporaryDirectory(prefix="quorum-rabbitmq-") as folder:
        port, distribution, names = free_port(), free_port(), free_port()
        log_path = Path(folder) / "log"
        variables = {
            **os.environ,
            "HOME": folder,
            "RABBITMQ_NODENAME": f"quorum-{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(names),
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/logs",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        }
        # The Debian wrapper changes users and folders; the program below it takes them from us.
        program = next(iter(sorted(Path("/usr/lib/rabbitmq/lib").glob("*/sbin/rabbitmq-server"))))
        with log_path.open("wb") as log:
            server = subprocess.Popen([str(program)], stdout=log, stderr=log, env=variables, process_group=0)
        try:
            _wait(port, server, log_path, RABBITMQ_WITHIN_S)
            yield f"amqp://guest:guest@127.0.0.1:{port}//"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()
            # Erlang's name service is a daemon of its own, which the first node starts and none ends.
            subprocess.run(["epmd", "-port", str(names), "-kill"], capture_output=True, check=False)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr}")


def _wait(port: int, server: "subprocess.Popen[bytes]", log: Path, limit_s: float = START_WITHIN_S) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended: {log.read_text(errors='replace')}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on {port}: {log.read_text(errors='replace')}")

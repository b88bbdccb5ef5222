"""What a machine pays when nobody meets: memory of the whole tree, and how long a start takes.

Starts `manage.py run` three times on a new state folder: the first with nothing there (packages and front end are
installed already), the others on what the first left. Memory is PSS: a page shared by n processes counts 1/n to
each, a few seconds after everything answers.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from config.environment import ROOT

SETTLE_S = 5.0
LIMIT_S = 90.0


def run() -> dict[str, Any]:
    """`pss_mb`, and `start_s.first` and `start_s.second` from the command to a 200 of /healthz/ready."""
    with tempfile.TemporaryDirectory(prefix="quorum-idle-") as folder:
        starts, sizes = zip(*(_once(Path(folder)) for _ in range(3)), strict=True)
    seconds = sorted(starts[1:])
    return {
        "runs": 3,
        "figures": {
            "pss_mb": round(max(sum(size.values()) for size in sizes), 1),
            "start_s": {"first": round(starts[0], 2), "second": round(seconds[-1], 2)},
        },
        "samples": {"start_s": [round(start, 2) for start in starts], "pss_mb": list(sizes)},
    }


def _once(folder: Path) -> tuple[float, dict[str, float]]:
    port, media_port = _free_port(), _free_port()
    environ = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")} | {
        "QUORUM_STATE_DIR": str(folder),
        "QUORUM_HTTP_PORT": str(port),
        "QUORUM_MEDIA_PORT": str(media_port),
    }
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "run"], env=environ, stdout=subprocess.DEVNULL, process_group=0
    )
    try:
        while not _ready(port):
            if process.poll() is not None or time.monotonic() - began > LIMIT_S:
                raise RuntimeError(f"did not come up; see {folder / 'log'}")
            time.sleep(0.02)
        took_s = time.monotonic() - began
        time.sleep(SETTLE_S)
        return took_s, _pss_mb(process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _pss_mb(root: int) -> dict[str, float]:
    """Megabytes by name of each process of the tree."""
    below: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        below.setdefault(parent, []).append(int(path.parent.name))
    found: dict[str, float] = {}
    tree = [root]
    for pid in tree:
        tree += below.get(pid, [])
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            log = Path(f"/proc/{pid}/fd/1").readlink().stem
        except OSError:
            continue
        kilobytes = next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        name = "supervisor" if pid == root else log
        found[name] = round(found.get(name, 0.0) + kilobytes / 1024, 1)
    return found

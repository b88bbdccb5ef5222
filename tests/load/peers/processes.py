"""Processes under measurement: their CPU, their memory, their cores, and a network of their own."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ADDRESS = "10.9.0.1"
"""Of the private network; Janus takes no loopback addresses."""


def cpu_ns(pid: int) -> int:
    """CPU time of a process, all its living threads together (`schedstat`, proc(5))."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            continue
    return total


def pss_mb(pid: int) -> float:
    """Memory of a process; pages that it shares are divided by how many share them (`smaps_rollup`, proc(5))."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no Pss of {pid}")


def cores() -> tuple[set[int], set[int]]:
    """(the load's, the server's): apart, where there are two."""
    every = sorted(os.sched_getaffinity(0))
    return (set(every[:-1]), {every[-1]}) if len(every) > 1 else (set(every), set(every))


_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
"""prctl(2): a benchmark that is killed leaves no server behind."""
NICE = -15
"""Where it is allowed, whatever is measured goes before the other work of the machine, and so does the load."""


def pinned(to: set[int]) -> Callable[[], None]:
    """For `preexec_fn`: the child and all its threads stay on these cores, go first, and end with their parent."""

    def stay() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, to)
        go_first()

    return stay


def go_first() -> None:
    """Raise the priority of this process and of what it will start; without the right to, it stays."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)


def in_own_network(module: str, arguments: Sequence[str]) -> list[str] | None:
    """The command that runs a Python module with ADDRESS in a network namespace that vanishes with it; None where this
    machine allows none."""
    unshare = shutil.which("unshare")
    if unshare is None or shutil.which("ip") is None:
        return None
    root = ("--net",) if os.geteuid() == 0 else ("--map-root-user", "--net")
    links = (
        "ip link set lo up && ip link add media0 type veth peer name media1 && "
        f"ip addr add {ADDRESS}/24 dev media0 && ip link set media0 up && ip link set media1 up"
    )
    start = [unshare, *root, "sh", "-c"]
    if subprocess.run([*start, links], capture_output=True, check=False).returncode != 0:
        return None
    return [*start, f'{links} && exec "$@"', "sh", sys.executable, "-m", module, *arguments]

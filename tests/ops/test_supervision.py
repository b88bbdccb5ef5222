"""The supervisor with real processes: tiny children."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.supervision import DELAYS_S, Child, delay_s

SUPERVISE = """
import sys
from pathlib import Path
from ops.supervision import Child, Supervisor
folder = Path(sys.argv[1])
texts = enumerate(sys.argv[2:])
children = [
    Child(name=f"child-{i}", argv=(sys.executable, "-c", text), grace_s=0.5, renewed="REPLACES" in text)
    for i, text in texts
]
Supervisor(children, folder, say=lambda text: print(text, flush=True), metrics=folder).run()
"""
NOTE = "import os, time; from pathlib import Path; "
SLEEPER = NOTE + "Path('{folder}/{name}').write_text(str(os.getpid())); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
PARENT = (
    "import os, subprocess, sys, time; from pathlib import Path; "
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    "Path('{folder}/grandchild').write_text(str(p.pid)); Path('{folder}/{name}').write_text(str(os.getpid())); p.wait()"
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")


def until(condition: Callable[[], bool], limit_s: float = 10.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def alive(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Running:
    """A supervisor in a process of its own, over children that note their process ids in a folder."""

    def __init__(self, folder: Path, *texts: str) -> None:
        self.folder = folder
        self.names = [f"pid-{place}" for place in range(len(texts))]
        written = [text.format(folder=folder, name=name) for text, name in zip(texts, self.names, strict=True)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, str(folder), *written], stdout=subprocess.PIPE, text=True
        )

    def pid(self, name: str = "pid-0") -> int:
        path = self.folder / name
        until(lambda: path.exists() and path.read_text() != "")
        return int(path.read_text())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def begin(*texts: str) -> Running:
        running.append(Running(tmp_path, *texts))
        return running[-1]

    yield begin
    for each in running:
        each.close()


def test_a_killed_child_is_back_by_itself(start: Callable[..., Running]) -> None:
    running = start(SLEEPER, SLEEPER)
    first, other = running.pid("pid-0"), running.pid("pid-1")
    os.kill(first, signal.SIGKILL)
    until(lambda: running.pid("pid-0") != first)
    assert running.pid("pid-1") == other
    assert running.process.stdout is not None
    assert "child-0 ended (killed by SIGKILL); starting it again" in running.process.stdout.readline()


def test_nothing_outlives_a_killed_supervisor(start: Callable[..., Running]) -> None:
    running = start(SLEEPER, SLEEPER)
    pids = [running.pid(name) for name in running.names]
    running.process.kill()
    until(lambda: not any(alive(pid) for pid in pids))


def test_one_signal_ends_every_child(start: Callable[..., Running]) -> None:
    running = start(SLEEPER, SLEEPER)
    pids = [running.pid(name) for name in running.names]
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=5) == 0
    assert not any(alive(pid) for pid in pids)


def test_a_child_that_does_not_listen_is_killed_after_its_grace(start: Callable[..., Running]) -> None:
    running = start(STUBBORN)
    pid = running.pid()
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=5) == 0
    assert not alive(pid)


def test_what_a_killed_child_started_is_killed_with_it(start: Callable[..., Running]) -> None:
    running = start(PARENT)
    pid, grandchild = running.pid(), running.pid("grandchild")
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(grandchild))


def test_the_output_of_a_child_is_in_its_log(start: Callable[..., Running]) -> None:
    running = start("print('hello', flush=True); " + SLEEPER)
    running.pid()
    assert (running.folder / "child-0.log").read_text() == "hello\n"


def test_live_gauges_of_dead_processes_are_forgotten(start: Callable[..., Running], tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead, living = tmp_path / f"gauge_livesum_{gone.pid}.db", tmp_path / f"gauge_livesum_{os.getpid()}.db"
    dead.touch()
    living.touch()
    start(SLEEPER)
    until(lambda: not dead.exists())
    assert living.exists()


def test_the_first_restart_is_immediate_and_the_later_ones_wait_longer() -> None:
    delays = [delay_s(ends) for ends in range(len(DELAYS_S) + 2)]
    assert delays[:2] == [0.0, 0.0]
    assert delays == sorted(delays)
    assert delays[-1] == DELAYS_S[-1]


def test_a_child_is_a_value() -> None:
    assert Child(name="a", argv=("true",)) == Child(name="a", argv=("true",))


RENEWABLE = (
    "import os, signal, time; from pathlib import Path; "
    "Path('{folder}/{name}').write_text(str(os.getpid())); before = os.environ.get('QUORUM_REPLACES', ''); "
    "before and os.path.exists('{folder}/bad') and exit(3); "
    "before and os.kill(int(before), signal.SIGTERM); time.sleep(60)"
)


def test_a_renewed_child_is_ended_by_its_successor(start: Callable[..., Running]) -> None:
    running = start(RENEWABLE, SLEEPER)
    first, other = running.pid("pid-0"), running.pid("pid-1")
    running.process.send_signal(signal.SIGUSR1)
    until(lambda: running.pid("pid-0") != first)
    until(lambda: not alive(first))
    assert alive(running.pid("pid-0"))
    assert running.pid("pid-1") == other, "what cannot be renewed is left alone"
    os.kill(running.pid("pid-0"), signal.SIGKILL)
    second = running.pid("pid-0")
    until(lambda: running.pid("pid-0") != second)


def test_where_the_successor_does_not_come_up_the_old_one_goes_on(start: Callable[..., Running]) -> None:
    running = start(RENEWABLE)
    first = running.pid()
    (running.folder / "bad").touch()
    running.process.send_signal(signal.SIGUSR1)
    assert running.process.stdout is not None
    lines = [running.process.stdout.readline() for _ in range(2)]
    assert lines[0] == "child-0 is being renewed\n"
    assert lines[1].startswith("child-0 ended (exit 3); the one before it goes on.")
    assert alive(first)
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(10)
    assert not alive(first)

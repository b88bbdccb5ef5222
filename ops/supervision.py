"""A small supervisor: starts processes, starts those that die again, and leaves nothing behind.

It knows nothing of Django, so that it stays small in memory and lives when the rest does not. Theory of operation:

- Each child leads a process group of its own, so that a Ctrl-C at the terminal reaches only the supervisor, and so that
  a child's own children can be ended with it.
- The kernel kills a child whose supervisor is gone (PR_SET_PDEATHSIG); nothing outlives a killed parent.
- A child that ends is started again: at once the first time, then later and later (`delay_s`) while it keeps ending
  young.
- SIGUSR1 renews the children that can be (`Child.renewed`): a new process is started beside the old one, whose process
  id it finds in QUORUM_REPLACES; once it is up it ends the old one by SIGTERM. Where it ends before that, the old one
  goes on.
- SIGTERM, SIGINT or SIGHUP end every child by its own signal, in the order they are listed backwards; those that do not
  hear within their grace are killed. A second signal kills at once.
"""

import contextlib
import ctypes
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

YOUNG_S = 30.0
"""A child that lived this long was well; its next end is a first one again."""
DELAYS_S = (0.0, 0.5, 1.0, 2.0, 5.0)
TICK_S = 1.0
RENEWAL_S = 30.0
"""An old process that is still there this long after a renewal is killed."""
REPLACES = "QUORUM_REPLACES"
LOG_LIMIT_BYTES = 20 << 20
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """What to keep running. `environ` is added to the supervisor's own; `fds` stay open in the child."""

    name: str
    argv: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)
    fds: Sequence[int] = ()
    stop: signal.Signals = signal.SIGTERM
    grace_s: float = 5.0
    renewed: bool = False


def delay_s(early_ends: int) -> float:
    """How long to wait before the next start of a child that ended young this many times in a row."""
    return DELAYS_S[min(early_ends, len(DELAYS_S)) - 1] if early_ends else 0.0


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends (Linux; elsewhere nothing happens)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(child: Child, log: Path) -> "subprocess.Popen[bytes]":
    """Start a child whose output goes to the end of `log`."""
    parent = os.getpid()

    def in_child() -> None:
        die_with_parent()
        if os.getppid() != parent:  # the parent was gone before the kernel was asked
            os._exit(1)

    with log.open("ab") as out:
        return subprocess.Popen(
            child.argv,
            env={**os.environ, **child.environ},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            pass_fds=tuple(child.fds),
            process_group=0,
            preexec_fn=in_child,
        )


class _Kept:
    """One child and its present process."""

    def __init__(self, child: Child, log: Path) -> None:
        self.child = child
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.old: list[tuple[subprocess.Popen[bytes], float]] = []
        """Processes that are being replaced, and since when."""
        self.started_at = 0.0
        self.due_at = 0.0
        self.early_ends = 0

    def start(self, now: float) -> None:
        self.started_at = now
        self.process = spawn(self.child, self.log)

    def renew(self, now: float) -> None:
        """Start another process beside this one, which will end this one."""
        if self.process is not None:
            environ = {**self.child.environ, REPLACES: str(self.process.pid)}
            self.old.append((self.process, now))
            self.started_at = now
            self.process = spawn(replace(self.child, environ=environ), self.log)

    def processes(self) -> "list[subprocess.Popen[bytes]]":
        return [*([self.process] if self.process else []), *(old for old, _ in self.old)]

    def signal_groups(self, number: signal.Signals) -> None:
        for process in self.processes():
            _signal_group(process, number)

    def ended(self, now: float) -> int | None:
        """The exit status if it has just ended; what is left of its group is killed and the next start is set.

        Where it was to replace an older one that lives, that one is it again.
        """
        for old, since in list(self.old):
            if old.poll() is not None or now - since > RENEWAL_S:
                _signal_group(old, signal.SIGKILL)
                old.wait()
                self.old.remove((old, since))
        if self.process is None or (status := self.process.poll()) is None:
            return None
        _signal_group(self.process, signal.SIGKILL)
        if self.old:
            self.process, self.started_at = self.old.pop()
            return status
        self.process = None
        self.early_ends = self.early_ends + 1 if now - self.started_at < YOUNG_S else 1
        self.due_at = now + delay_s(self.early_ends)
        return status


class Supervisor:
    """Keeps children running until it is told to stop. Use from the main thread: it handles signals."""

    def __init__(
        self,
        children: Sequence[Child],
        logs: Path,
        say: Callable[[str], None] = print,
        metrics: Path | None = None,
    ) -> None:
        self._say = say
        self._metrics = metrics
        self._signals = 0
        self._renew = False
        logs.mkdir(parents=True, exist_ok=True)
        self._kept = [_Kept(child, logs / f"{child.name}.log") for child in children]
        self._reader, self._writer = os.pipe()
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)

    def run(self, between: Callable[[], float] = lambda: TICK_S) -> None:
        """Start everything and return when everything has ended.

        `between` is called at each turn and says within how many seconds it wants to be called again.
        """
        before = {
            number: signal.signal(number, self._heard) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        before[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, self._heard_renew)
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        try:
            for kept in self._kept:
                kept.start(time.monotonic())
            while not self._signals:
                self._tend()
                self._wait(min(self._next_s(), between()))
            self._stop()
        finally:
            for kept in self._kept:
                kept.signal_groups(signal.SIGKILL)
                for process in kept.processes():
                    process.wait()
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _heard(self, *_: object) -> None:
        self._signals += 1

    def _heard_renew(self, *_: object) -> None:
        self._renew = True

    def _next_s(self) -> float:
        now = time.monotonic()
        return max(0.0, min([TICK_S] + [kept.due_at - now for kept in self._kept if kept.process is None]))

    def _wait(self, limit_s: float) -> None:
        """Sleep until a signal (a child's end among them) or the limit."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._reader, selectors.EVENT_READ)
            if selector.select(limit_s):
                os.read(self._reader, 4096)

    def _tend(self) -> None:
        now = time.monotonic()
        renew, self._renew = self._renew, False
        for kept in self._kept:
            if (status := kept.ended(now)) is not None:
                then = "starting it again" if kept.process is None else "the one before it goes on"
                self._say(f"{kept.child.name} ended ({_meaning(status)}); {then}. Its log: {kept.log}")
            if kept.process is None and kept.due_at <= now and not self._signals:
                kept.start(now)
            if renew and kept.child.renewed and not kept.old:
                self._say(f"{kept.child.name} is being renewed")
                kept.renew(now)
            _shorten(kept.log)
        self._forget_dead()

    def _stop(self) -> None:
        self._say("stopping")
        began, asked = time.monotonic(), self._signals
        for kept in reversed(self._kept):
            kept.signal_groups(kept.child.stop)
        while living := [kept for kept in self._kept if kept.processes()]:
            for kept in living:
                late = time.monotonic() - began > kept.child.grace_s
                if late or self._signals > asked:
                    kept.signal_groups(signal.SIGKILL)
            self._wait(0.1)
            for kept in living:
                kept.ended(time.monotonic())

    def _forget_dead(self) -> None:
        """Remove the live gauges of processes that are gone (prometheus_client names the files by process id)."""
        if self._metrics is None:
            return
        for file in self._metrics.glob("gauge_live*_*.db"):
            owner = file.stem.rpartition("_")[2]
            if owner.isdigit() and not _alive(int(owner)):
                file.unlink(missing_ok=True)


def _signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _meaning(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit {status}"


def _shorten(log: Path) -> None:
    """Move a log that has grown too long aside; its writer goes on at the (now empty) end."""
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)

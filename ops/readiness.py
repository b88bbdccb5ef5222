"""Runs the registered checks side by side, each within its time."""

import threading
import time
from dataclasses import dataclass

import structlog

from common.probes import Failing, Probe, registered

LIMIT_S = 0.5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and how long it took."""

    ok: bool
    ms: float
    detail: str


class _Run:
    """One check under way in a thread of its own."""

    def __init__(self, name: str, probe: Probe) -> None:
        self.began = time.monotonic()
        self.finding: Finding | None = None
        self._name = name
        self._probe = probe
        self.thread = threading.Thread(target=self._work, name=f"probe-{name}", daemon=True)
        self.thread.start()

    def _work(self) -> None:
        try:
            ok, detail = True, self._probe()
        except Failing as reason:
            ok, detail = False, str(reason)
        except Exception as defect:
            log.exception("probe.broke", probe=self._name)
            ok, detail = False, f"the check itself failed: {type(defect).__name__}"
        self.finding = Finding(ok, self.elapsed_ms(), detail)

    def elapsed_ms(self) -> float:
        return round((time.monotonic() - self.began) * 1000, 1)


_stuck: dict[str, _Run] = {}
"""Checks that have not come back. They are waited for, not started again, so that no threads pile up."""
_guard = threading.Lock()


def look() -> dict[str, Finding]:
    """Every check's finding by name, after at most LIMIT_S."""
    with _guard:
        runs = {}
        for name, probe in registered().items():
            earlier = _stuck.pop(name, None)
            runs[name] = earlier if earlier and earlier.finding is None else _Run(name, probe)
        deadline = time.monotonic() + LIMIT_S
        found = {}
        for name, run in runs.items():
            run.thread.join(max(0.0, deadline - time.monotonic()))
            found[name] = run.finding or Finding(False, run.elapsed_ms(), "no answer in time")
            if run.finding is None:
                _stuck[name] = run
        return found

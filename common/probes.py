"""Status checks: each part that can be missing says by name whether it is there.

An app registers its probes when it is loaded; `ops` runs them without knowing the app.
"""

from collections.abc import Callable

Probe = Callable[[], str]
"""Gives a few words of detail when all is well, raises Failing when not. Has half a second, in a thread of its own."""


class Failing(Exception):
    """The part is not there; the message says in a few words why, without secrets."""


_probes: dict[str, Probe] = {}


def register(name: str, probe: Probe) -> None:
    """Add a check under the name it has in /healthz/ready."""
    _probes[name] = probe


def registered() -> dict[str, Probe]:
    """Every check by name, in order of registration."""
    return dict(_probes)

"""What an app offers to operations, declared when it is loaded, so that `ops` need not know the app.

Today: the folders that a backup must hold, and how to drain what runs here. What a participant costs follows with the
capacity page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """One app's offer. `drain` asks its work on a node to move elsewhere, gives the number of things still here, and
    may be called again until that is 0. `folders` hold what the database does not."""

    app: str
    drain: Callable[[str], int] | None = None
    folders: tuple[Path, ...] = ()


_offers: dict[str, Upkeep] = {}


def offer(upkeep: Upkeep) -> None:
    """Declare what an app offers; a second offer of the same app replaces the first."""
    _offers[upkeep.app] = upkeep


def offers() -> tuple[Upkeep, ...]:
    """What every app offers."""
    return tuple(_offers.values())

"""What the load wants of a server under measurement, and what it gets from it."""

from dataclasses import dataclass
from typing import Any, Protocol

from tests.load.peers.client import Link


@dataclass(frozen=True, slots=True)
class Publishing:
    """A publisher's connection, and what its packets are to look like."""

    link: Link
    ssrc: int
    payload_type: int
    mid: str
    mid_id: int
    transport_cc_id: int


@dataclass(frozen=True, slots=True)
class Viewing:
    """A viewer's connection, and what media will come under."""

    link: Link
    payload_types: tuple[int, ...]
    ssrcs: tuple[int, ...]


class Server(Protocol):
    """A media server in a process of its own. People are numbered: publishers first, then watchers."""

    name: str
    pid: int

    async def publish(self, person: int) -> Publishing:
        """Connect a publisher of one camera."""

    async def view(self, person: int, count: int) -> Viewing:
        """Connect a viewer of `count` publishers, all of whom are there already; nobody sees themselves."""

    async def settled(self) -> None:
        """Wait until whatever was connected would be forwarded."""

    async def figures(self) -> dict[str, Any]:
        """What the server itself counted, where it does."""

    async def stop(self) -> None:
        """End the process."""

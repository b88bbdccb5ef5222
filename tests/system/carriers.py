"""Which media worker carries a meeting, as the embedded store tells, and the processes of that worker."""

from dataclasses import dataclass

import msgspec
import redis

from tests.system.browser import until
from tests.system.operated import Operated

PREFIX = "quorum:relay:"


@dataclass(frozen=True, slots=True)
class Node:
    """A relay that shows itself."""

    id: str
    name: str
    pid: int
    draining: bool = False


class Carriers:
    """Which media worker carries the meeting, as the store tells."""

    def __init__(self, site: Operated) -> None:
        self._site = site
        self._store = redis.Redis(unix_socket_path=str(site.folder / "valkey.sock"), decode_responses=True)

    def close(self) -> None:
        """Let the store go."""
        self._store.close()

    def nodes(self) -> list[Node]:
        """All that live."""
        texts = [self._store.get(key) for key in self._store.scan_iter(f"{PREFIX}node:*")]
        shown = [msgspec.json.decode(str(text)) for text in texts if text]
        return [Node(node["relay_id"], node["node"], node["pid"], node.get("draining", False)) for node in shown]

    def in_use(self) -> list[Node]:
        """All that live and are not being drained."""
        return [node for node in self.nodes() if not node.draining]

    def carrier(self) -> Node | None:
        """Of the one open meeting."""
        owner = self._store.get(f"{PREFIX}lease:{self._site.open_meeting()}")
        return next((node for node in self.nodes() if node.id == owner), None)

    def settled(self, workers: int) -> Node:
        """Wait until that many live and are in use, and one carries the meeting."""
        until(lambda: len(self.in_use()) == workers and self.carrier() is not None, f"{workers} relays are in use")
        found = self.carrier()
        assert found is not None
        return found

    def group(self, node: Node) -> list[int]:
        """All processes of a node's media worker."""
        child = f"media-{node.name.rpartition('-')[2]}"
        return [pid for pid, name in self._site.processes().items() if name == child]

"""Which relay carries which meeting. Pure: nodes and their loads in, a choice out."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RelayNode:
    """A living relay: its incarnation `relay_id`, the media worker `node` it runs on, and what it carries."""

    relay_id: str
    node: str
    pid: int
    host: str
    connections: int = 0
    draining: bool = False


def choose(nodes: Sequence[RelayNode], last_node: str = "") -> RelayNode | None:
    """The relay for a meeting that has none: the one with the fewest connections, the node it was on among equals."""
    open_to_all = [node for node in nodes if not node.draining]
    return min(open_to_all, key=lambda n: (n.connections, n.node != last_node, n.node), default=None)

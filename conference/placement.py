"""Which relay carries which meeting. Pure: nodes and their loads in, a choice out.

A relay's health is that it shows itself: whoever does not for 1.2 s is not among the nodes. Its load is its
connections. A drained node is chosen only where there is no other, since a call matters more than a maintenance.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace


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
    return min(nodes, key=lambda n: (n.draining, n.connections, n.node != last_node, n.node), default=None)


def others(nodes: Sequence[RelayNode], drained: str) -> list[RelayNode]:
    """Who can take what the drained node carries."""
    return [node for node in nodes if node.node != drained and not node.draining]


def spread(meetings: Sequence[tuple[str, int]], nodes: Sequence[RelayNode]) -> dict[str, RelayNode]:
    """A relay for each meeting (id, connections), the largest first, each counted where the ones before it went."""
    loads = {node.relay_id: node for node in nodes}
    found: dict[str, RelayNode] = {}
    for meeting_id, connections in sorted(meetings, key=lambda meeting: (-meeting[1], meeting[0])):
        target = choose(list(loads.values()))
        if target is None:
            break
        found[meeting_id] = target
        loads[target.relay_id] = replace(target, connections=target.connections + connections)
    return found

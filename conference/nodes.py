"""Media workers as operators see them, and draining: emptying one by moving its meetings, make before break.

A node that is drained stays so, over restarts of it, until it is undrained; the mark is kept in Redis, and an emptied
Redis forgets it. To move a meeting its next relay is told to take it: it takes the lease and the next epoch, the
browsers build new connections to it, and the old relay goes on forwarding meanwhile.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import redis.exceptions
import structlog

from common.errors import Conflict, NotFound, Unavailable
from conference import relays, selectors
from conference.placement import others, spread

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Node:
    """One media worker. `gone`: meetings were there last, and its relay does not show itself."""

    node: str
    host: str
    health: Literal["alive", "gone"]
    draining: bool
    connections: int
    meetings: int


def nodes() -> list[Node]:
    """Every media worker that lives or is missed, by name. Raise Unavailable (`store.unavailable`)."""
    try:
        living = relays.living_nodes()
        marked = relays.draining_nodes()
    except redis.exceptions.RedisError as reason:
        raise _away() from reason
    carried = Counter(node for _, node, _ in selectors.open_meetings() if node)
    found = [Node(n.node, n.host, "alive", n.draining, n.connections, carried[n.node]) for n in living]
    missed = set(carried) - {node.node for node in living}
    found += [Node(name, "", "gone", name in marked, 0, carried[name]) for name in missed]
    return sorted(found, key=lambda node: node.node)


def drain_node(*, node: str) -> Node:
    """Let a node carry no new meetings and have others take those it carries. Repeating it moves what is left.

    Raises NotFound (`node.unknown`), Conflict (`node.last`) where no other could take them, Unavailable
    (`store.unavailable`).
    """
    try:
        living = relays.living_nodes()
        if node not in {known.node for known in living}:
            raise NotFound("node.unknown", "There is no such media worker.")
        if not others(living, node):
            raise Conflict("node.last", "No other media worker could take its meetings.")
        relays.set_draining(node, True)
        _move(node)
    except redis.exceptions.RedisError as reason:
        raise _away() from reason
    _log.info("node.draining", node=node)
    return _named(node)


def undrain_node(*, node: str) -> Node:
    """Let a node carry meetings again. Repeating it changes nothing.

    Raises NotFound (`node.unknown`), Unavailable (`store.unavailable`).
    """
    try:
        known = {living.node for living in relays.living_nodes()} | relays.draining_nodes()
        if node not in known:
            raise NotFound("node.unknown", "There is no such media worker.")
        relays.set_draining(node, False)
    except redis.exceptions.RedisError as reason:
        raise _away() from reason
    _log.info("node.undrained", node=node)
    return _named(node)


def empty_draining() -> int:
    """Move what drained nodes still, or again, carry; how many meetings were told to move.

    A word to a relay may be lost, and a meeting may have been placed while its node was marked. Where every other node
    has died since, the drained ones are used again: a call matters more than a maintenance. Raise
    redis.exceptions.RedisError.
    """
    living = relays.living_nodes()
    if living and all(node.draining for node in living):
        for node in living:
            relays.set_draining(node.node, False)
            _log.warning("node.undrained", node=node.node, reason="no other is left")
        return 0
    return sum(_move(name) for name in sorted(relays.draining_nodes()))


def _move(node: str) -> int:
    """Tell other relays to take what the node carries."""
    people = selectors.present_ids()
    carried = [
        (str(meeting_id), 2 * len(people.get(meeting_id, ())))
        for meeting_id, on, _ in selectors.open_meetings()
        if on == node
    ]
    targets = spread(carried, others(relays.living_nodes(), node))
    for meeting_id, target in targets.items():
        relays.take(meeting_id, target.relay_id)
    return len(targets)


def _named(name: str) -> Node:
    return next((node for node in nodes() if node.node == name), Node(name, "", "gone", False, 0, 0))


def _away() -> Unavailable:
    return Unavailable("store.unavailable", "Redis does not answer; try again.", retry_after_s=1)

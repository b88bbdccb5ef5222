"""The check of what meetings need: a media relay."""

import redis.exceptions

from common.probes import Failing
from conference import relays


def media() -> str:
    """At least one media relay shows itself."""
    try:
        living = relays.living_nodes()
    except redis.exceptions.RedisError as reason:
        raise Failing(f"store: {type(reason).__name__}") from reason
    if not living:
        raise Failing("no relay is alive")
    draining = sum(node.draining for node in living)
    return f"{len(living)} alive" + (f", {draining} draining" if draining else "")

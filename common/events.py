"""Saying something to everybody who follows a topic.

A *line* has a sequence: it is in the database already when it is said, and whoever misses it notices the gap. A
*passing* word has none: it is delivered at most once. Neither ever fails the caller, since Redis may be away.
"""

import asyncio
from typing import Any

import redis.exceptions
import structlog
from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from django.db import transaction
from prometheus_client import Counter

TIMEOUT_S = 1.0
AFTER_COMMIT_S = 0.5
"""A request waits for this: with the wake of a relay, a command takes less than a second while Redis is away."""
LINE = "journal.line"
PASSING = "relay.said"
"""The `type` of a message in the channel layer, which Channels turns into a consumer's method name."""

AWAY = (redis.exceptions.RedisError, OSError, TimeoutError, ChannelFull)

_undelivered = Counter("quorum_events_undelivered", "Events that the channel layer did not take")
_log = structlog.get_logger(__name__)


def publish_on_commit(topic: str, sequence: int, text: str) -> None:
    """Say the encoded line to the topic's followers once the transaction has committed."""
    _on_commit(topic, {"type": LINE, "sequence": sequence, "text": text})


def publish_passing_on_commit(topic: str, text: str) -> None:
    """Say a word without a sequence to the topic's followers once the transaction has committed."""
    _on_commit(topic, {"type": PASSING, "text": text})


def call_on_commit(group: str, type_: str) -> None:
    """Call a method of the group's consumers, by its name with dots for underscores, after the commit."""
    _on_commit(group, {"type": type_})


async def publish_passing(topic: str, text: str) -> None:
    """Say a word without a sequence to the topic's followers now."""
    await deliver(topic, {"type": PASSING, "text": text})


async def deliver(group: str, message: dict[str, Any], limit_s: float = TIMEOUT_S) -> None:
    """Hand a message to a group of the channel layer; counted, not raised, where it does not get through."""
    layer = get_channel_layer()
    try:
        await asyncio.wait_for(layer.group_send(group, message), limit_s)
    except AWAY as reason:
        _undelivered.inc()
        _log.warning("event.undelivered", group=group, reason=type(reason).__name__)


def _on_commit(group: str, message: dict[str, Any]) -> None:
    transaction.on_commit(lambda: async_to_sync(deliver)(group, message, AFTER_COMMIT_S), robust=True)

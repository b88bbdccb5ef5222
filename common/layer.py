"""The channel layer: Channels' own over Redis, made to outlive an absent Redis.

As it comes, a read that fails ends the consumer that happened to wait, and with it a browser's socket. Here the wait
goes on until Redis is back; what was lost meanwhile is found by sequence numbers (`common.hub`) or asked for again.
"""

import asyncio
from typing import Any

import redis.exceptions
from channels_redis.core import RedisChannelLayer
from prometheus_client import Counter

PAUSE_S = 0.2

_interrupted = Counter("quorum_channel_layer_interrupted", "Reads of the channel layer that failed and were repeated")


class PatientRedisLayer(RedisChannelLayer):
    """`channels_redis.core` with short blocking reads that are repeated."""

    brpop_timeout = 1

    async def receive(self, channel: str) -> Any:
        """The channel's next message, however long Redis is away."""
        while True:
            try:
                return await super().receive(channel)
            except (redis.exceptions.RedisError, OSError, TimeoutError):
                _interrupted.inc()
                await asyncio.sleep(PAUSE_S)

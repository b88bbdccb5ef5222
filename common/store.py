"""Connections to Redis or Valkey, with time-outs, retries and backoff said in one place.

Nothing is kept there that cannot be built again. A client that waits without a limit hides a partition, so each call
ends within about a second, with a redis.exceptions.RedisError that the caller turns into a refusal.
"""

import asyncio
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from django.conf import settings
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry

TIMEOUT_S = 0.5
HINT_TIMEOUT_S = 0.25
PREFIX = "quorum:"

_per_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis]" = WeakKeyDictionary()


def _options() -> dict[str, Any]:
    return {
        "socket_timeout": TIMEOUT_S,
        "socket_connect_timeout": TIMEOUT_S,
        "health_check_interval": 10,
        "decode_responses": True,
    }


@cache
def store() -> redis.Redis:
    """This process's blocking client; thread-safe."""
    retry = Retry(ExponentialBackoff(cap=0.2, base=0.02), 2)
    return redis.Redis.from_url(settings.REDIS_URL, retry=retry, **_options())


@cache
def hints() -> redis.Redis:
    """A blocking client for what may be lost: one try of a quarter of a second, so that nobody waits for it."""
    options = {**_options(), "socket_timeout": HINT_TIMEOUT_S, "socket_connect_timeout": HINT_TIMEOUT_S}
    return redis.Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **options)


def async_store() -> redis.asyncio.Redis:
    """The running event loop's client."""
    loop = asyncio.get_running_loop()
    client = _per_loop.get(loop)
    if client is None:
        retry = redis.asyncio.retry.Retry(ExponentialBackoff(cap=0.2, base=0.02), 2)
        client = redis.asyncio.Redis.from_url(settings.REDIS_URL, retry=retry, **_options())
        _per_loop[loop] = client
    return client

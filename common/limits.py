"""How often somebody may do something: token buckets in Redis, so that every process counts together.

While Redis is away each process counts for itself, which is a looser limit but still one.
"""

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

import redis.exceptions
from django.http import HttpRequest

from common.errors import TooMany
from common.store import PREFIX, store

# Redis' own clock, since those of several processes differ. Returns the wait in milliseconds, 0 when a token was taken.
_TAKE = """
local now = redis.call('TIME')
local now_s = tonumber(now[1]) + tonumber(now[2]) / 1000000
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(bucket[1]) or burst
tokens = math.min(burst, tokens + math.max(0, now_s - (tonumber(bucket[2]) or now_s)) * rate)
local wait_ms = 0
if tokens >= 1 then tokens = tokens - 1 else wait_ms = math.ceil((1 - tokens) / rate * 1000) end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', tostring(now_s))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return wait_ms
"""
_LOCAL_BUCKETS = 10_000


@dataclass(slots=True)
class Bucket:
    """A token bucket in memory; pure."""

    rate_per_s: float
    burst: float
    tokens: float
    at_s: float

    def take(self, now_s: float) -> float:
        """Seconds to wait; 0 when a token was taken."""
        self.tokens = min(self.burst, self.tokens + max(0.0, now_s - self.at_s) * self.rate_per_s)
        self.at_s = now_s
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate_per_s


_local: "OrderedDict[str, Bucket]" = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Limit:
    """A named limit: `burst` at once, `rate_per_s` in the long run, for each key."""

    name: str
    rate_per_s: float
    burst: int

    def take(self, key: str) -> None:
        """Count one. Raise TooMany (`requests.too-many`) with the time to wait when there were too many."""
        full = f"{PREFIX}limit:{self.name}:{key}"
        try:
            # `register_script` would keep the client; EVAL of a short text costs nothing here.
            wait_ms = store().eval(_TAKE, 1, full, str(self.rate_per_s), str(self.burst))
            wait_s = int(str(wait_ms)) / 1000
        except redis.exceptions.RedisError:
            wait_s = self._take_locally(full)
        if wait_s > 0:
            raise TooMany("requests.too-many", f"Try again in {math.ceil(wait_s)} s.", retry_after_s=wait_s)

    def _take_locally(self, key: str) -> float:
        now_s = time.monotonic()
        with _lock:
            bucket = _local.pop(key, None) or Bucket(self.rate_per_s, self.burst, self.burst, now_s)
            _local[key] = bucket
            while len(_local) > _LOCAL_BUCKETS:
                _local.popitem(last=False)
            return bucket.take(now_s)


def address_of(request: HttpRequest) -> str:
    """The address that asks, as the server saw it."""
    return str(request.META.get("REMOTE_ADDR") or "local")

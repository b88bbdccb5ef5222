"""Token buckets: together in Redis, alone without it."""

from typing import Any

import pytest

from common.errors import TooMany
from common.limits import Bucket, Limit


def test_a_bucket_fills_at_its_rate_and_never_over() -> None:
    bucket = Bucket(rate_per_s=2, burst=3, tokens=3, at_s=0)
    assert [bucket.take(0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.take(0.5) == 0
    assert [bucket.take(100) for _ in range(4)] == [0, 0, 0, 0.5]


@pytest.mark.servers
def test_one_key_is_limited_and_another_is_not(valkey: Any) -> None:
    limit = Limit("test", rate_per_s=0.1, burst=2)
    limit.take("a"), limit.take("a"), limit.take("b")
    with pytest.raises(TooMany) as no:
        limit.take("a")
    assert no.value.retry_after_s is not None
    assert 0 < no.value.retry_after_s <= 10


def test_without_redis_a_process_counts_for_itself(settings: Any) -> None:
    from common.store import store

    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    store.cache_clear()
    limit = Limit("alone", rate_per_s=0.01, burst=1)
    limit.take("a")
    with pytest.raises(TooMany):
        limit.take("a")
    store.cache_clear()

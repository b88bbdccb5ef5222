"""One subscription for many followers, and what happens to a slow one."""

from typing import Any

import pytest

from common import hub

pytestmark = pytest.mark.servers


class Source:
    """Lines kept in memory."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(enumerate(lines, start=1))
        self.heads = 0

    async def head(self) -> int:
        self.heads += 1
        return len(self.lines)

    async def lines_after(self, sequence: int) -> list[tuple[int, str]]:
        return self.lines[sequence:]

    async def beat(self, keys: list[str]) -> None:
        pass


@pytest.fixture
async def layer(valkey: Any) -> Any:
    from channels.layers import get_channel_layer

    layer = get_channel_layer()
    yield layer
    await layer.close_pools()


async def say(layer: Any, sequence: int, text: str) -> None:
    await layer.group_send("topic", {"type": "journal.line", "sequence": sequence, "text": text})


async def test_many_followers_share_one_subscription(layer: Any, valkey: Any) -> None:
    source = Source("one")
    followers = [await hub.follow("topic", f"{n}", source) for n in range(3)]
    assert [follower.start for follower in followers] == [1, 1, 1]
    assert valkey.zcard("quorum:group:topic") == 1
    await say(layer, 2, "two")
    assert [await follower.next() for follower in followers] == [hub.Line(2, "two")] * 3
    for follower in followers:
        await follower.close()
    assert valkey.zcard("quorum:group:topic") == 0


async def test_an_old_line_is_not_said_again_and_a_gap_is_filled(layer: Any) -> None:
    source = Source("one")
    follower = await hub.follow("topic", "a", source)
    source.lines += [(2, "two"), (3, "three")]
    await say(layer, 1, "one")
    await say(layer, 3, "three")
    assert [await follower.next() for _ in range(2)] == [hub.Line(2, "two"), hub.Line(3, "three")]
    assert await follower.replay(1) == [hub.Line(2, "two"), hub.Line(3, "three")]
    assert await follower.replay(0) == [hub.Line(1, "one"), hub.Line(2, "two"), hub.Line(3, "three")]
    await follower.close()


async def test_a_follower_that_does_not_read_is_let_go_and_others_are_not(layer: Any) -> None:
    source = Source()
    slow = await hub.follow("topic", "slow", source)
    quick = await hub.follow("topic", "quick", source)
    for number in range(1, hub.QUEUE_LENGTH + 2):
        source.lines.append((number, "x"))
        await say(layer, number, "x")
        heard = await quick.next()
        while not isinstance(heard, hub.Line):
            heard = await quick.next()
        assert heard == hub.Line(number, "x")
    assert await slow.next() == hub.Slow()
    await slow.close()
    await quick.close()


async def test_without_redis_lines_come_from_the_source(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from channels.layers import channel_layers

    host = {"address": "unix:///nowhere/valkey.sock", "socket_connect_timeout": 0.5}
    layer = {**settings.CHANNEL_LAYERS["default"], "CONFIG": {"hosts": [host], "prefix": "quorum"}}
    settings.CHANNEL_LAYERS = {"default": layer}
    channel_layers.backends.clear()
    monkeypatch.setattr(hub, "BEAT_S", 0.05)
    source = Source()
    follower = await hub.follow("topic", "a", source)
    source.lines.append((1, "one"))
    heard = await follower.next()
    while not isinstance(heard, hub.Line):
        heard = await follower.next()
    assert heard == hub.Line(1, "one")
    await follower.close()
    channel_layers.backends.clear()

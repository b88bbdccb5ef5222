"""The telephone to the relays: short lists in Redis, one a relay's incarnation. Everything said here is a hint or is
asked again by the browser, so nothing of it is kept.

Keys, below the store's prefix:
    relay:node:<node>          a living relay, renewed every 0.3 s, gone 1.2 s after its last sign
    relay:lease:<meeting id>   the relay that carries the meeting, likewise
    relay:inbox:<relay id>     what the relay is to hear, oldest first
    relay:draining:<node>      a node that is to carry nothing new; stays until it is undrained
"""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

import msgspec
import redis
import structlog

from common.errors import Unavailable
from common.store import PREFIX, async_store, hints, store
from conference.placement import RelayNode, choose
from media.control import Negotiate, Watch

log = structlog.get_logger(__name__)

LEASE_MS = 1200
"""A silent relay loses its meetings after this; four renewals fit in."""
INBOX_MS = 10_000
"""An inbox that nobody reads goes by itself."""
INBOX_LENGTH = 1000


class Wake(msgspec.Struct, frozen=True, tag_field="kind", tag="wake"):
    """The plan of a meeting may have changed, or the meeting needs a relay: read it."""

    meeting_id: str


class Call(msgspec.Struct, frozen=True, tag_field="kind", tag="call"):
    """An offer, and the channel that waits for its answer."""

    command: Negotiate
    reply_channel: str


class Tell(msgspec.Struct, frozen=True, tag_field="kind", tag="tell"):
    """What a page shows; nobody waits for an answer."""

    command: Watch


class Take(msgspec.Struct, frozen=True, tag_field="kind", tag="take"):
    """Carry a meeting that another relay, which is being drained, carries now: take its lease and the next epoch."""

    meeting_id: str


Heard = Wake | Call | Tell | Take
heard_decoder: msgspec.json.Decoder[Heard] = msgspec.json.Decoder(Heard)
node_decoder: msgspec.json.Decoder[RelayNode] = msgspec.json.Decoder(RelayNode)


def node_key(node: str) -> str:
    """Where a relay shows that it lives."""
    return f"{PREFIX}relay:node:{node}"


def lease_key(meeting_id: str) -> str:
    """Where it is written who carries a meeting."""
    return f"{PREFIX}relay:lease:{meeting_id}"


def inbox_key(relay_id: str) -> str:
    """Where a relay listens."""
    return f"{PREFIX}relay:inbox:{relay_id}"


def draining_key(node: str) -> str:
    """Where it is marked that a node is to carry nothing new."""
    return f"{PREFIX}relay:draining:{node}"


def _push(pipe: "redis.client.Pipeline | redis.asyncio.client.Pipeline", relay_id: str, word: Heard) -> None:
    key = inbox_key(relay_id)
    pipe.rpush(key, msgspec.json.encode(word).decode())
    pipe.ltrim(key, -INBOX_LENGTH, -1)
    pipe.pexpire(key, INBOX_MS)


def living_nodes() -> list[RelayNode]:
    """Every relay that showed itself in the last 1.2 s. Raise redis.exceptions.RedisError."""
    keys = list(store().scan_iter(match=node_key("*"), count=100))
    return _marked(store().mget(keys) if keys else [], draining_nodes())


def draining_nodes() -> set[str]:
    """Every node that is marked. Raise redis.exceptions.RedisError."""
    return {key.removeprefix(draining_key("")) for key in store().scan_iter(match=draining_key("*"), count=100)}


def set_draining(node: str, draining: bool) -> None:
    """Mark a node, or take the mark off. Raise redis.exceptions.RedisError."""
    if draining:
        store().set(draining_key(node), 1)
    else:
        store().delete(draining_key(node))


def take(meeting_id: str, relay_id: str) -> None:
    """Tell a relay to carry a meeting that another carries now. Raise redis.exceptions.RedisError."""
    with store().pipeline(transaction=False) as pipe:
        _push(pipe, relay_id, Take(meeting_id))
        pipe.execute()


async def _living_nodes(client: "redis.asyncio.Redis") -> list[RelayNode]:
    keys = [key async for key in client.scan_iter(match=node_key("*"), count=100)]
    marks = {key.removeprefix(draining_key("")) async for key in client.scan_iter(match=draining_key("*"), count=100)}
    return _marked(await client.mget(keys) if keys else [], marks)


def _marked(texts: Iterable[str | bytes | None], draining: set[str]) -> list[RelayNode]:
    # The mark is the truth; what a relay shows of it is a beat old.
    found = [node_decoder.decode(text) for text in texts if text]
    return [replace(node, draining=node.node in draining) for node in found]


def wake(meeting_id: UUID | str) -> None:
    """Hint that a meeting's plan changed. May be lost: a relay reads its plans every 2 s anyway."""
    try:
        relay_id = hints().get(lease_key(str(meeting_id)))
        if not relay_id:
            node = choose(living_nodes())
            if node is None:
                return
            relay_id = node.relay_id
        with hints().pipeline(transaction=False) as pipe:
            _push(pipe, str(relay_id), Wake(str(meeting_id)))
            pipe.execute()
    except redis.exceptions.RedisError as reason:
        log.warning("relay.wake.lost", meeting_id=str(meeting_id), reason=str(reason))


async def tell(command: Watch) -> bool:
    """Bring a page's views to the meeting's relay; False where there is none, or no way to it, so that nobody heard."""
    client = async_store()
    try:
        relay_id = await client.get(lease_key(command.meeting_id))
        if not relay_id:
            return False
        async with client.pipeline(transaction=False) as pipe:
            _push(pipe, str(relay_id), Tell(command))
            await pipe.execute()
    except (redis.exceptions.RedisError, OSError) as reason:
        log.warning("relay.views.lost", meeting_id=command.meeting_id, reason=type(reason).__name__)
        return False
    return True


async def negotiate(command: Negotiate, reply_channel: str) -> None:
    """Bring an offer to the meeting's relay; a channel-layer message to `reply_channel` answers it.

    A meeting without a relay is offered to the freest one. Raise Unavailable (`relay.unavailable`): the browser
    offers again.
    """
    client = async_store()
    try:
        relay_id = await client.get(lease_key(command.meeting_id))
        if not relay_id:
            node = choose(await _living_nodes(client))
            if node is None:
                raise Unavailable("relay.unavailable", "No media relay is up; trying again.", retry_after_s=0.5)
            relay_id = node.relay_id
        async with client.pipeline(transaction=False) as pipe:
            _push(pipe, str(relay_id), Call(command, reply_channel))
            await pipe.execute()
    except redis.exceptions.RedisError as reason:
        log.warning("relay.call.lost", meeting_id=command.meeting_id, reason=str(reason))
        raise Unavailable("relay.unavailable", "The way to the media relay is interrupted.", retry_after_s=1) from None

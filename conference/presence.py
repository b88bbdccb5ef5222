"""Who was seen lately, in Redis: a socket or flowing media says `seen`, the sweep asks who is `absent`."""

from collections.abc import Iterable
from uuid import UUID

import redis.exceptions
import structlog

from common.store import PREFIX, async_store, store

SEEN_FOR_MS = 5000
"""Two beats of 2 s and a little: one lost beat is no absence."""

_log = structlog.get_logger(__name__)


async def seen(participant_ids: Iterable[UUID | str]) -> None:
    """Note that these participants' sockets or media live. An absent Redis is logged, not raised."""
    ids = list(participant_ids)
    if not ids:
        return
    pipe = async_store().pipeline(transaction=False)
    for participant_id in ids:
        pipe.set(_key(participant_id), 1, px=SEEN_FOR_MS)
    try:
        await pipe.execute()
    except (redis.exceptions.RedisError, OSError) as reason:
        _log.warning("presence.unnoted", people=len(ids), reason=type(reason).__name__)


def absent(participant_ids: Iterable[UUID]) -> set[UUID]:
    """Those of them who were not seen for 5 s. Raise redis.exceptions.RedisError when nobody can tell."""
    ids = list(participant_ids)
    if not ids:
        return set()
    marks = store().mget([_key(participant_id) for participant_id in ids])
    return {participant_id for participant_id, mark in zip(ids, marks, strict=True) if mark is None}


def _key(participant_id: UUID | str) -> str:
    return f"{PREFIX}presence:{participant_id}"

"""One subscription of the channel layer per topic and process, shared by every local socket that follows it.

The hub owns one channel, joined to the topic's group again and again (every 2 s, so that an emptied Redis heals). It
keeps a tail of the last lines and hands each new one to the queues of its followers. At the same beat it reads the
head of the sequence from the source of truth; a gap, however it was noticed, is filled from there. So a line that the
channel layer lost arrives at most one beat late, and nothing is said twice to a follower.

A hub lives as long as it has followers, in the event loop of the first one.
"""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import structlog
from channels.layers import get_channel_layer
from django.db import Error as DatabaseError
from prometheus_client import Counter, Gauge

from common.events import AWAY, LINE, PASSING, TIMEOUT_S

BEAT_S = 2.0
TAIL_LINES = 500
QUEUE_LENGTH = 256
"""What one follower may leave unread: some ten seconds of a lively meeting."""

_hubs_alive = Gauge("quorum_hubs", "Topics followed by this process")
_gaps = Counter("quorum_hub_gaps", "Gaps in a topic that were filled from the database")
_log = structlog.get_logger(__name__)


class Source(Protocol):
    """Where a topic's lines are kept."""

    async def head(self) -> int:
        """The sequence of the last line; 0 before the first."""

    async def lines_after(self, sequence: int) -> list[tuple[int, str]]:
        """Each later line with its sequence, oldest first."""

    async def beat(self, keys: list[str]) -> None:
        """Called every 2 s with the keys of the followers that are here. Must not raise for an absent Redis."""


@dataclass(frozen=True, slots=True)
class Line:
    """The next line of the topic."""

    sequence: int
    text: str


@dataclass(frozen=True, slots=True)
class Word:
    """Passing news."""

    text: str


@dataclass(frozen=True, slots=True)
class Head:
    """The sequence of the last line, said at each beat."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Slow:
    """The last thing that a follower hears: it left too much unread."""


Heard = Line | Word | Head | Slow


@dataclass(eq=False, slots=True)
class Follower:
    """One local reader. Every line past `start` will be heard; those up to it are to be asked for with `replay`."""

    hub: "Hub"
    key: str
    start: int
    queue: "asyncio.Queue[Heard]" = field(default_factory=lambda: asyncio.Queue(QUEUE_LENGTH))

    async def next(self) -> Heard:
        """Wait for what is said next."""
        return await self.queue.get()

    async def replay(self, seen: int) -> list[Line]:
        """The lines past `seen` up to the topic's head as of now, from the tail or from the source."""
        return await self.hub.lines_between(seen, self.hub.sequence)

    async def close(self) -> None:
        """Follow no longer. Repeating it changes nothing."""
        await self.hub.release(self)


class Hub:
    """One topic in one process. Made by `follow`."""

    def __init__(self, topic: str, source: Source) -> None:
        self.topic = topic
        self.sequence = 0
        self._source = source
        self._tail: deque[Line] = deque(maxlen=TAIL_LINES)
        self._followers: set[Follower] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._opened: asyncio.Task[None] | None = None
        self._filling = asyncio.Lock()
        self._layer = get_channel_layer()
        self._channel = ""

    async def add(self, key: str) -> Follower:
        """A new follower, from the present head on."""
        follower = Follower(self, key, 0)
        self._followers.add(follower)
        if self._opened is None:
            self._opened = asyncio.create_task(self._open())
        try:
            await asyncio.shield(self._opened)
        except BaseException:
            await self.release(follower)
            raise
        follower.start = self.sequence
        return follower

    async def release(self, follower: Follower) -> None:
        """Forget a follower; the last one takes the hub with it."""
        self._followers.discard(follower)
        if self._followers or _hubs().get(self.topic) is not self:
            return
        del _hubs()[self.topic]
        await _stop({*self._tasks, *([self._opened] if self._opened else [])})
        if self._channel:
            _hubs_alive.dec()
            with contextlib.suppress(*AWAY):
                await self._layer.group_discard(self.topic, self._channel)

    async def lines_between(self, after: int, upto: int) -> list[Line]:
        """The lines past `after` up to and including `upto`."""
        if after >= upto:
            return []
        if self._tail and self._tail[0].sequence <= after + 1:
            return [line for line in self._tail if after < line.sequence <= upto]
        lines = await self._source.lines_after(after)
        return [Line(sequence, text) for sequence, text in lines if sequence <= upto]

    async def _open(self) -> None:
        # Listen first, look second: a line between the two is heard, and known as old by its sequence.
        # (The default prefix: a process waits for one key of Redis, which all its channels share by their prefix.)
        self._channel = await self._layer.new_channel()
        _hubs_alive.inc()
        with contextlib.suppress(*AWAY):
            await self._layer.group_add(self.topic, self._channel)
        self.sequence = await self._source.head()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._keep())]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """A defect ends the hub: its followers are told to come again, and find a new one."""
        if task.cancelled() or (defect := task.exception()) is None:
            return
        _log.error("hub.failed", topic=self.topic, exc_info=defect)
        if _hubs().get(self.topic) is self:
            del _hubs()[self.topic]
            _hubs_alive.dec()
        for other in self._tasks:
            other.cancel()
        for follower in self._followers:
            self._give_up(follower)

    async def _listen(self) -> None:
        while True:
            try:
                message: dict[str, Any] = await self._layer.receive(self._channel)
            except AWAY as reason:
                _log.warning("hub.deaf", topic=self.topic, reason=type(reason).__name__)
                await asyncio.sleep(0.5)
                continue
            match message:
                case {"type": str(kind), "sequence": int(sequence), "text": str(text)} if kind == LINE:
                    await self._take(sequence, text)
                case {"type": str(kind), "text": str(text)} if kind == PASSING:
                    self._say(Word(text))

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            # Side by side and not for long: followers count on hearing the head every few seconds.
            await asyncio.gather(self._rejoin(), self._source.beat([follower.key for follower in self._followers]))
            try:
                if await self._source.head() > self.sequence:
                    await self._fill()
            except DatabaseError as reason:
                _log.warning("hub.blind", topic=self.topic, reason=type(reason).__name__)
            self._say(Head(self.sequence))

    async def _rejoin(self) -> None:
        try:
            await asyncio.wait_for(self._layer.group_add(self.topic, self._channel), TIMEOUT_S)
        except AWAY as reason:
            _log.warning("hub.unreachable", topic=self.topic, reason=type(reason).__name__)

    async def _take(self, sequence: int, text: str) -> None:
        if sequence == self.sequence + 1 and not self._filling.locked():
            self._accept(Line(sequence, text))
        elif sequence > self.sequence:
            try:
                await self._fill()
            except DatabaseError as reason:
                # The line is written, so the next beat finds it.
                _log.warning("hub.blind", topic=self.topic, reason=type(reason).__name__)

    async def _fill(self) -> None:
        async with self._filling:
            found = await self._source.lines_after(self.sequence)
            _gaps.inc()
            for sequence, text in found:
                if sequence > self.sequence:
                    self._accept(Line(sequence, text))

    def _accept(self, line: Line) -> None:
        self.sequence = line.sequence
        self._tail.append(line)
        self._say(line)

    def _say(self, heard: Heard) -> None:
        for follower in self._followers:
            try:
                follower.queue.put_nowait(heard)
            except asyncio.QueueFull:
                self._give_up(follower)

    def _give_up(self, follower: Follower) -> None:
        """Its last word; what else was waiting is worth nothing to a socket that will be closed."""
        while not follower.queue.empty():
            follower.queue.get_nowait()
        follower.queue.put_nowait(Slow())


async def _stop(tasks: "set[asyncio.Task[None]]") -> None:
    # More than once: redis-py loses a cancellation that meets it between two commands.
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=0.1)


_per_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Hub]]" = WeakKeyDictionary()


def _hubs() -> dict[str, Hub]:
    return _per_loop.setdefault(asyncio.get_running_loop(), {})


async def follow(topic: str, key: str, source: Source) -> Follower:
    """Follow a topic. `key` names the follower to the source's `beat`; the source of the first follower is used."""
    hub = _hubs().get(topic)
    if hub is None:
        hub = _hubs()[topic] = Hub(topic, source)
    return await hub.add(key)

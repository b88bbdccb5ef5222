"""The relay's host: one endless Celery task of a media worker that carries many meetings, each by a lease.

What ought to be is read from the database on each wake and every 2 s and given to the relay as a plan; what is comes
back as reports and goes out to the browsers. No reply is awaited anywhere, so a restart and a takeover are the same
code as the first start. Losing Redis or the database stops no packet: the host keeps the last plan, and gives a
meeting up only when it sees a higher epoch in the database.

This module is loaded by media workers alone (`celery worker -I conference.hosting`): it brings the whole media plane.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import msgspec
import redis
import redis.asyncio
import structlog
from asgiref.sync import sync_to_async
from celery import shared_task
from django.conf import settings
from django.db import close_old_connections
from django.db.utils import Error as DatabaseError

from common.errors import Refusal
from common.ids import new_id
from common.store import TIMEOUT_S, async_store
from conference import metrics, presence, relays, selectors, services
from conference.placement import RelayNode, choose
from conference.telling import Teller
from media import control
from media.relay import Relay

log = structlog.get_logger(__name__)

HEARTBEAT_S: Final = 0.3
PLAN_S: Final = 2.0
LINGER_S: Final = 0.3
"""A meeting that moved away is no longer ours to be woken for: its plan is read this often while we forward it."""
LISTEN_S: Final = 0.25
"""Longest wait for the inbox."""
PATIENCE_S: Final = 2.0
"""For the inbox's connection: a busy machine may be a second late, and a second connection would help nobody."""
PAUSE_S: Final = 0.2
"""After a fault, before the next try."""
PORT_WAIT_S: Final = 5.0
"""A predecessor that was killed may hold the port for a moment."""

RENEW: Final = """
local lost = {}
for i, key in ipairs(KEYS) do
  local owner = redis.call('get', key)
  if owner == ARGV[1] then redis.call('pexpire', key, ARGV[2])
  elseif not owner then redis.call('set', key, ARGV[1], 'px', ARGV[2])
  else lost[#lost + 1] = key end
end
return lost
"""
RELEASE: Final = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"


@shared_task(name="conference.relay_host", ignore_result=True)
def relay_host() -> None:
    """Carry meetings until the worker ends."""
    asyncio.run(RelayHost(slot=int(os.environ.get("QUORUM_MEDIA_SLOT", "0"))).run())


class RelayHost:
    """One incarnation of one media worker's relay. `slot` is the worker's number on this machine."""

    def __init__(self, slot: int) -> None:
        self.relay_id = str(new_id())
        self._teller = Teller()
        self.node = f"{settings.NODE}-{slot}"
        self.relay = Relay(
            listen_address=settings.MEDIA_ADDRESS,
            port=settings.MEDIA_PORT + slot,
            advertised=settings.MEDIA_ADDRESSES or (settings.MEDIA_ADDRESS,),
            report=self._teller.heard,
        )
        self._epochs: dict[str, int] = {}
        """Meetings that we carry, and the epoch under which."""
        self._leased: set[str] = set()
        self._contested: set[str] = set()
        """Of these, the leases that another relay holds although the database still names our epoch."""
        self.draining = False
        self._neighbours: set[str] = set()
        """Relays that showed themselves at our last beat."""
        self._stop = asyncio.Event()
        self._parent = os.getppid()

    async def run(self) -> None:
        """Until SIGTERM, or until the worker that started us is gone."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            loop.add_signal_handler(name, self._stop.set)
        await self._bind()
        log.info("relay.started", relay_id=self.relay_id, node=self.node, port=self.relay.port)
        chores = [
            loop.create_task(self._repeat(self._beat, HEARTBEAT_S), name="beat"),
            loop.create_task(self._repeat(self._read_plans, PLAN_S), name="plans"),
            loop.create_task(self._repeat(self._restrain, LINGER_S), name="lingering"),
            loop.create_task(self._repeat(self._note_presence, PLAN_S), name="presence"),
            loop.create_task(self._listen(), name="inbox"),
            loop.create_task(self._repeat(self._teller.tell, 0.0), name="news"),
        ]
        await self._stop.wait()
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await self._release_everything()
        await self.relay.close()
        log.info("relay.stopped", relay_id=self.relay_id, node=self.node)

    async def _bind(self) -> None:
        deadline = time.monotonic() + PORT_WAIT_S
        while True:
            try:
                return await self.relay.start()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)

    async def _repeat(self, chore: Callable[[], Awaitable[None]], every_s: float) -> None:
        """The top of each chore's loop: what goes wrong is counted, said once, and the chore goes on after a pause."""
        name = getattr(chore, "__name__", "chore")
        failing = ""
        while not self._stop.is_set():
            if os.getppid() != self._parent:
                self._stop.set()
                return
            began = time.monotonic()
            cause = ""
            try:
                await chore()
            except (redis.exceptions.RedisError, TimeoutError) as reason:
                cause, said = "store", str(reason)
            except DatabaseError as reason:
                cause, said = "database", str(reason)
            except Exception:
                cause, said = "defect", ""
                log.exception("relay.chore.failed", chore=name)
            if cause:
                metrics.host_faults.labels(cause).inc()
            if cause != failing:
                if cause:
                    log.warning("relay.chore.interrupted", chore=name, cause=cause, reason=said)
                else:
                    log.info("relay.chore.resumed", chore=name)
                failing = cause
            pause_s = max(every_s, PAUSE_S) if cause else every_s
            await asyncio.sleep(max(0.0, pause_s - (time.monotonic() - began)))

    # --- leases -----------------------------------------------------------------------------------------------------
    async def _beat(self) -> None:
        """Show that we live, and keep what we carry."""
        client = async_store()
        shown = RelayNode(
            self.relay_id, self.node, os.getpid(), settings.NODE, self.relay.connections, draining=self.draining
        )
        text = msgspec.json.encode(shown).decode()
        leased = sorted(self._leased)
        keys = [relays.lease_key(meeting_id) for meeting_id in leased]
        async with client.pipeline(transaction=False) as pipe:
            pipe.set(relays.node_key(self.node), text, px=relays.LEASE_MS)
            pipe.exists(relays.draining_key(self.node))
            if keys:
                pipe.eval(RENEW, len(keys), *keys, self.relay_id, str(relays.LEASE_MS))
            answers = await pipe.execute()
        self._show_figures()
        lost = {leased[keys.index(key)] for key in answers[2]} if keys else set()
        if bool(answers[1]) is not self.draining:
            self.draining = bool(answers[1])
            log.info("relay.draining.changed", node=self.node, draining=self.draining)
            await client.set(
                relays.node_key(self.node),
                msgspec.json.encode(replace(shown, draining=self.draining)).decode(),
                px=relays.LEASE_MS,
            )
        await self._contest(lost)
        living = {key async for key in client.scan_iter(match=relays.node_key("*"), count=100)}
        vanished, self._neighbours = self._neighbours - living, living
        if vanished:  # what it carried is free by now, for its leases ran out with its sign of life
            log.warning("relay.neighbour.lost", nodes=sorted(vanished), node=self.node)
            await self._seek_orphans()

    async def _contest(self, lost: set[str]) -> None:
        """Leases that another relay holds. The database decides: until its epoch rises the meeting stays ours, and we
        take the lease back as soon as it is free.
        """
        self._contested &= lost
        for meeting_id in lost:
            if meeting_id not in self._contested:
                self._contested.add(meeting_id)
                log.warning("relay.lease.lost", meeting_id=meeting_id, node=self.node)
            await self._refresh(meeting_id)

    async def _adopt(self, meeting_id: str, *, drained: bool = False) -> bool:
        """Carry a meeting that nobody carries, or one that is to leave the relay that carries it (`drained`).

        False if somebody does, if it is over, or if we are being drained ourselves.
        """
        if meeting_id in self._epochs:
            return True
        if self.draining:
            return False
        client = async_store()
        if not await client.set(relays.lease_key(meeting_id), self.relay_id, nx=not drained, px=relays.LEASE_MS):
            return False
        self._leased.add(meeting_id)
        try:
            epoch: int = await _in_thread(services.claim_meeting)(
                meeting_id=UUID(meeting_id), node=self.node, reason="drained" if drained else None
            )
        except (Refusal, DatabaseError) as reason:
            log.info("relay.claim.failed", meeting_id=meeting_id, reason=str(reason))
            await self._release(meeting_id)
            return False
        self._epochs[meeting_id] = epoch
        log.info("relay.adopted", meeting_id=meeting_id, epoch=epoch, node=self.node, drained=drained)
        await self._refresh(meeting_id)
        return True

    async def _release(self, meeting_id: str) -> None:
        self._leased.discard(meeting_id)
        await async_store().eval(RELEASE, 1, relays.lease_key(meeting_id), self.relay_id)

    async def _release_everything(self) -> None:
        try:
            for meeting_id in list(self._leased):
                await self._release(meeting_id)
            await async_store().delete(relays.node_key(self.node), relays.inbox_key(self.relay_id))
        except redis.exceptions.RedisError as reason:
            log.warning("relay.store.away", reason=str(reason))

    # --- plans ------------------------------------------------------------------------------------------------------
    async def _read_plans(self) -> None:
        """Every plan of ours, and the meetings that nobody carries."""
        for meeting_id in list(self._epochs):
            await self._refresh(meeting_id)
        await self._seek_orphans()

    async def _seek_orphans(self) -> None:
        """Adopt the meetings that nobody carries and that fall to us."""
        running: list[tuple[UUID, str, int]] = await _in_thread(selectors.open_meetings)()
        orphans = [(str(meeting_id), node) for meeting_id, node, _ in running if str(meeting_id) not in self._epochs]
        if not orphans:
            return
        carried = await async_store().mget([relays.lease_key(meeting_id) for meeting_id, _ in orphans])
        nodes = await _in_thread(relays.living_nodes)()
        for (meeting_id, last_node), owner in zip(orphans, carried, strict=True):
            best = choose(nodes, last_node)
            if owner is None and best is not None and best.relay_id == self.relay_id:
                await self._adopt(meeting_id)

    async def _refresh(self, meeting_id: str) -> None:
        """Read one plan and have the relay converge to it."""
        if meeting_id not in self._epochs:
            return
        plan = await _in_thread(selectors.relay_plan)(UUID(meeting_id))
        ours = self._epochs.get(meeting_id)
        if ours is None:
            return
        if plan is None or plan.epoch > ours:
            why = "over" if plan is None else "carried elsewhere"
            log.info("relay.gave-up", meeting_id=meeting_id, epoch=ours, why=why)
            del self._epochs[meeting_id]
            if plan is None:
                self.relay.abandon(meeting_id)
            else:
                self.relay.linger(meeting_id)
            await self._release(meeting_id)
            return
        self.relay.perform(plan)

    async def _restrain(self) -> None:
        """What moved away and is still forwarded here follows the database too."""
        for meeting_id in self.relay.lingering:
            plan = await _in_thread(selectors.relay_plan)(UUID(meeting_id))
            if plan is not None:
                self.relay.restrain(plan)
            elif meeting_id not in self._epochs:
                self.relay.abandon(meeting_id)

    # --- what we hear -----------------------------------------------------------------------------------------------
    async def _listen(self) -> None:
        """The inbox, in order. Wakes of one meeting that lie in it together cost one reading."""
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL,
            decode_responses=True,
            socket_timeout=PATIENCE_S,
            socket_connect_timeout=TIMEOUT_S,
        )
        inbox = relays.inbox_key(self.relay_id)

        async def hear() -> None:
            item: Any = await client.blpop([inbox], timeout=LISTEN_S)
            if item is None:
                return
            words = [item[1], *((await client.lpop(inbox, 100)) or ())]
            wakes: dict[str, None] = {}
            for word in words:
                try:
                    await self._hear(relays.heard_decoder.decode(word), wakes)
                except (msgspec.MsgspecError, ValueError) as reason:
                    # Only our own processes reach the inbox; one of another version, or somebody in their place, is
                    # heard to the extent that it is understood.
                    metrics.host_faults.labels("word").inc()
                    log.warning("relay.word.refused", reason=str(reason), node=self.node)
            for meeting_id in wakes:
                if meeting_id in self._epochs or await self._adopt(meeting_id):
                    await self._refresh(meeting_id)

        try:
            await self._repeat(hear, 0.0)
        finally:
            await client.aclose()

    async def _hear(self, word: relays.Heard, wakes: dict[str, None]) -> None:
        """Do what one word says; plans that are to be read are collected in `wakes`."""
        match word:
            case relays.Wake(meeting_id):
                wakes[str(UUID(meeting_id))] = None
            case relays.Call() as call:
                await self._answer(call)
            case relays.Tell(command):
                self._watch(command)
            case relays.Take(meeting_id):
                await self._adopt(str(UUID(meeting_id)), drained=True)

    async def _answer(self, call: relays.Call) -> None:
        """Correlations are the browsers' own and may collide between two of them: ours are numbered."""
        command = call.command
        number = self._teller.expect(call.reply_channel, command.correlation)
        adopted = await self._adopt(command.meeting_id)
        if adopted and not self.relay.knows(command.meeting_id, command.participant_id):
            await self._refresh(command.meeting_id)
        epoch = self._epochs.get(command.meeting_id)
        if epoch is None:
            self._teller.heard(control.Declined(number, "relay.unavailable", "The meeting is moving."))
            return
        self.relay.perform(msgspec.structs.replace(command, correlation=number, epoch=epoch))

    def _watch(self, command: control.Watch) -> None:
        """What a page shows holds under whatever epoch we carry its meeting; of others' meetings it is nothing."""
        epoch = self._epochs.get(command.meeting_id)
        if epoch is not None:
            self.relay.perform(msgspec.structs.replace(command, epoch=epoch))

    # --- what we show ------------------------------------------------------------------------------------------------
    async def _note_presence(self) -> None:
        """Media that flows keeps its participant, whatever the socket does."""
        present = self.relay.present()
        if present:
            await presence.seen(present)

    def _show_figures(self) -> None:
        metrics.show_relay(self.node, self.relay.figures())


def _in_thread(call: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """A blocking read or write of the database, on its thread; a connection that broke is not used again."""

    def guarded(*args: Any, **kwargs: Any) -> Any:
        close_old_connections()
        return call(*args, **kwargs)

    return sync_to_async(guarded)

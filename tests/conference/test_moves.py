"""Whatever happens to people and to relays, and in whatever order: in the end there is one truth.

Relay hosts of several workers are asked for one chore at a time, in an order that a seed decides; some die, some fall
silent and come back, the store is emptied. Once everything that lives has had its turn: one relay carries the meeting,
under the epoch in the database; its roster is the plan; the roster that browsers see is the journal, replayed.
"""

import random
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_thread

from conference import protocol, relays, selectors, services, state
from conference.hosting import RelayHost

STEPS = 30


class Site:
    """Relay hosts that live (`hosts`), that say nothing for now (`silent`), and people."""

    def __init__(self, scene: Any, store: Any, seed: int) -> None:
        self.scene, self.store, self.chance = scene, store, random.Random(seed)
        self.slots, self.names = count(), count(1)
        self.hosts: list[RelayHost] = [self.new_host()]
        self.silent: list[RelayHost] = []
        self.people: list[Any] = []

    def new_host(self) -> RelayHost:
        return RelayHost(slot=next(self.slots))

    # --- what happens ------------------------------------------------------------------------------------------------
    async def join(self) -> None:
        self.people.append(await in_thread(self.scene.enter)(f"P{next(self.names)}"))

    async def leave(self) -> None:
        if self.people:
            gone = self.people.pop(self.chance.randrange(len(self.people)))
            leave = self.chance.choice((self._leave, self._remove))
            await leave(gone)

    async def _leave(self, who: Any) -> None:
        await in_thread(services.leave_meeting)(meeting_id=self.scene.meeting_id, participant_id=who)

    async def _remove(self, who: Any) -> None:
        await in_thread(services.remove_participant)(
            actor=self.scene.actor("host"), meeting_id=self.scene.meeting_id, participant_id=who
        )

    async def mute(self) -> None:
        if self.people:
            who = self.chance.choice(self.people)
            await in_thread(services.set_muted)(
                actor=selectors.Actor(participant_id=who),
                meeting_id=self.scene.meeting_id,
                participant_id=who,
                muted=self.chance.random() < 0.5,
            )

    async def start(self) -> None:
        if len(self.hosts) < 3:
            self.hosts.append(self.new_host())
            await self.hosts[-1]._beat()

    async def kill(self) -> None:
        if self.hosts:
            self.forget(self.hosts.pop(self.chance.randrange(len(self.hosts))))

    async def fall_silent(self) -> None:
        """Its keys run out; it knows nothing of that."""
        if self.hosts:
            self.silent.append(self.hosts.pop(self.chance.randrange(len(self.hosts))))
            self.forget(self.silent[-1])

    async def come_back(self) -> None:
        if self.silent:
            self.hosts.append(self.silent.pop())

    async def empty_store(self) -> None:
        self.store.flushdb()

    async def move(self) -> None:
        if self.hosts:
            await self.chance.choice(self.hosts)._adopt(str(self.scene.meeting_id), drained=True)

    async def chore(self) -> None:
        if self.hosts:
            host = self.chance.choice(self.hosts)
            await self.chance.choice((host._beat, host._read_plans, host._restrain))()

    def forget(self, host: RelayHost) -> None:
        """As the worker's parent does for a dead relay, and time for a silent one."""
        self.store.delete(relays.node_key(host.node))
        lease = relays.lease_key(str(self.scene.meeting_id))
        if self.store.get(lease) == host.relay_id:
            self.store.delete(lease)

    async def settle(self) -> None:
        """Everything that lives has its turn, as often as word may have to travel."""
        self.hosts += self.silent
        self.silent = []
        if not self.hosts:
            self.hosts.append(self.new_host())
        for _ in range(3):
            for host in self.chance.sample(self.hosts, len(self.hosts)):
                await host._beat()
                await host._read_plans()
                await host._restrain()


@pytest.fixture
async def ended(live_scene: Any) -> AsyncIterator[None]:
    """Connections of this test's threads and loop are closed with it."""
    from django.db import connections

    from common.store import async_store

    yield
    await in_thread(connections.close_all)()
    await async_store().aclose()


@pytest.mark.parametrize("seed", range(12))
async def test_joins_leaves_kills_and_moves_end_in_one_truth(
    seed: int, live_scene: Any, valkey: Any, ended: None
) -> None:
    site = Site(live_scene, valkey, seed)
    deeds = [
        *(site.join, site.join, site.leave, site.mute),
        *(site.start, site.kill, site.fall_silent, site.come_back, site.empty_store, site.move),
        *(site.chore, site.chore, site.chore, site.chore),
    ]
    for _ in range(STEPS):
        await site.chance.choice(deeds)()
    await site.settle()

    meeting = str(live_scene.meeting_id)
    plan = await in_thread(selectors.relay_plan)(live_scene.meeting_id)
    assert plan is not None
    carrying = [host for host in site.hosts if meeting in host._epochs]
    assert len(carrying) == 1, [(host.node, host._epochs) for host in site.hosts]
    (host,) = carrying
    assert host._epochs[meeting] == plan.epoch
    assert valkey.get(relays.lease_key(meeting)) == host.relay_id
    members = host.relay._meetings[meeting].router._members
    assert {name: member.wish for name, member in members.items()} == {one.id: one for one in plan.participants}

    fresh = await in_thread(selectors.state_of)(live_scene.meeting_id)
    lines = await in_thread(selectors.lines_after)(live_scene.meeting_id, 0)
    replayed = state.NOTHING
    for _, text in lines:
        replayed = state.apply(replayed, protocol.line_codec.decode(text))
    assert replayed == fresh
    assert {person.id for person in fresh.people} == {str(who) for who in site.people} == set(members)

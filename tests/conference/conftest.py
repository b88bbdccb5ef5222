"""A room with a host, a member and a link; people who come by sockets."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

WAIT_S = 5.0


@dataclass
class Scene:
    """A room, its people, its meeting."""

    room: Any
    host: Any
    member: Any
    stranger: Any
    operator: Any
    meeting_id: UUID

    def actor(self, who: str) -> Any:
        from conference.selectors import Actor

        user = getattr(self, who)
        return Actor(user_id=user.pk, operator=user.is_operator, name=user.shown_name)

    def admit(self, name: str, who: str | None = None) -> Any:
        from conference import services
        from conference.selectors import Actor

        actor = self.actor(who) if who else Actor()
        return services.issue_ticket(actor=actor, slug=self.room.slug, name=name)

    def enter(self, name: str, who: str | None = None) -> UUID:
        """Someone comes in, without a socket; their participant id."""
        from conference import services

        admission = self.admit(name, who)
        services.join_meeting(ticket=admission.ticket, meeting_id=admission.meeting_id)
        return admission.participant_id


def make_scene() -> Scene:
    from accounts.services import create_user
    from conference import services
    from conference.selectors import Actor
    from rooms.services import create_room, grant_role

    people = {name: create_user(username=name) for name in ("host", "member", "stranger")}
    operator = create_user(username="operator", operator=True)
    room = create_room(owner_id=people["host"].pk, title="Blue", slug="blue")
    grant_role(room_id=room.pk, user_id=people["member"].pk, role="member")
    actor = Actor(user_id=people["host"].pk, name="host")
    meeting, _ = services.start_meeting(actor=actor, slug="blue")
    return Scene(room=room, operator=operator, meeting_id=meeting.pk, **people)


@pytest.fixture
def scene(db: None, valkey: Any) -> Scene:
    """In one transaction: fast, and nothing is said aloud."""
    return make_scene()


@pytest.fixture(scope="session")
def threads(django_db_setup: None) -> Iterator[None]:
    """Closes the connections of the threads in which sockets use the database, so that it can be dropped.

    Channels' test client keeps them open on purpose, for tests that are one transaction.
    """
    from django.db import connections

    from common import transactions

    yield
    count = transactions.THREADS
    everyone = threading.Barrier(count)

    def close() -> None:
        everyone.wait(WAIT_S)
        connections.close_all()

    for done in [transactions.threads.submit(close) for _ in range(count)]:
        done.result()


@pytest.fixture
def live_scene(transactional_db: None, threads: None, valkey: Any) -> Scene:
    """With real commits: lines are published."""
    return make_scene()


@dataclass
class Browser:
    """One socket, and everything it was told."""

    socket: Any
    told: list[dict[str, Any]] = field(default_factory=list)
    closed: int | None = None

    async def say(self, type_: str, **fields: Any) -> None:
        await self.socket.send_to(text_data=json.dumps({"type": type_, **fields}))

    async def hear(self, type_: str, **fields: Any) -> dict[str, Any]:
        """Wait for the next message of that type with those fields, keeping all others in `told`."""
        async with asyncio.timeout(WAIT_S):
            while True:
                message = await self.next()
                if message is None:
                    raise AssertionError(f"closed with {self.closed} before {type_}; told {self.told}")
                if message["type"] == type_ and all(message.get(k) == v for k, v in fields.items()):
                    return message

    async def next(self) -> dict[str, Any] | None:
        """The next message; None once the server hung up."""
        output = await self.socket.receive_output(WAIT_S)
        if output["type"] == "websocket.close":
            self.closed = output.get("code", 1000)
            return None
        self.told.append(json.loads(output["text"]))
        return self.told[-1]

    async def hung_up(self) -> int:
        """Wait until the server hangs up; the code."""
        while await self.next() is not None:
            pass
        assert self.closed is not None
        return self.closed

    async def join(self, ticket: str, **fields: Any) -> dict[str, Any]:
        await self.say("join", ticket=ticket, **fields)
        return await self.hear("welcomed")


Open = Callable[[UUID], Awaitable[Browser]]


@pytest.fixture
async def open_socket() -> AsyncIterator[Open]:
    """Opens sockets to a meeting, and closes them after the test."""
    from conference.routing import websocket_urlpatterns

    opened: list[Browser] = []

    async def open_one(meeting_id: UUID) -> Browser:
        socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), f"/ws/meetings/{meeting_id}/")
        connected, _ = await socket.connect(timeout=WAIT_S)
        assert connected
        opened.append(Browser(socket))
        return opened[-1]

    yield open_one
    for browser in opened:
        # A short while, then again: redis-py loses a cancellation that meets it between two commands.
        await browser.socket.disconnect(timeout=1)
    from channels.layers import get_channel_layer

    from common.store import async_store

    await get_channel_layer().close_pools()
    await async_store().aclose()

"""The meeting socket's shell: hand frames to the session, do what it says, pass on what the hub and the relay say."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec
import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from common import events, handover, hub
from common.errors import Refusal
from common.metrics import refusals
from common.problems import AWAY
from common.transactions import is_passing, off_loop
from common.wire import Message, encode
from conference import metrics, presence, protocol, relays, selectors, services, session
from conference.commands import perform, person
from conference.journal import JournalSource
from media.control import VERSION as RELAY_VERSION
from media.control import Negotiate, View, Watch
from rooms.selectors import HOSTS

ANSWER_WITHIN_S = 3.0
"""An offer that no relay answered in this time is refused, so that the browser offers again."""
LONGEST_REPLAY = 1000
"""Who missed more lines than this is given the state instead."""
VIEWS_EVERY_S = 0.1
"""Of a page that is being resized only so many views go to the relay; the last always does."""
VIEWS_AGAIN_S = 1.0
"""Views that no relay heard are told again after this."""
PATIENCE_BEAT_S = 2.0
"""Who waits is seen by this beat alone; presence runs out after 5 s."""
SLOW = 4429
RESTARTING = 4503
REPLACED = 4409

_log = structlog.get_logger(__name__)


class _Answer(msgspec.Struct):
    """As much of a relay's answer as is needed to know which offer it belongs to."""

    type: str
    id: str | None = None
    epoch: int | None = None


_answer: msgspec.json.Decoder[_Answer] = msgspec.json.Decoder(_Answer)


class MeetingConsumer(AsyncWebsocketConsumer):
    """One browser."""

    @cached_property
    def meeting_id(self) -> UUID:
        """Of the socket's address."""
        found: UUID = self.scope["url_route"]["kwargs"]["meeting_id"]
        return found

    async def connect(self) -> None:
        """Accept; nothing is said until the browser joins, which it must do soon."""
        self.session = session.Session(time.monotonic())
        self.participant_id: UUID | None = None
        self.born = time.time_ns()
        self.follower: hub.Follower | None = None
        self.pump: asyncio.Task[None] | None = None
        self.offers: dict[str, asyncio.TimerHandle] = {}
        self.epoch = 0
        self.views: tuple[protocol.View, ...] | None = None
        self.views_timer: asyncio.TimerHandle | None = None
        self.ticket = ""
        self.waiting: asyncio.Task[None] | None = None
        self.closing: set[asyncio.Task[None]] = set()
        self.handed_over = False
        handover.enter(self)
        await self.accept()
        self.deadline = asyncio.get_running_loop().call_later(
            session.JOIN_WITHIN_S, self._hang_up, "session.silent", 4400
        )

    async def disconnect(self, code: int) -> None:
        """Stop following. Whether they left is for the sweep to say."""
        handover.leave(self)
        self.deadline.cancel()
        for timer in (*self.offers.values(), *([self.views_timer] if self.views_timer else ())):
            timer.cancel()
        for task in (self.pump, self.waiting):
            if task is not None:
                task.cancel()
        if self.follower is not None:
            metrics.sockets.dec()
            await self.follower.close()
        if self.participant_id is not None:
            with contextlib.suppress(*events.AWAY):
                await self.channel_layer.group_discard(selectors.group_of(self.participant_id), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Answer each refusal with a frame, and hang up where it is one to hang up on."""
        await self._answering(lambda: self._perform(self.session.receive(text_data, time.monotonic())))

    async def _answering(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            try:
                await work()
            except DatabaseError as error:
                if not is_passing(error):
                    raise
                raise AWAY from error
        except Refusal as no:
            refusals.labels(code=no.code, door="socket").inc()
            await self._say(protocol.Refused(code=no.code, detail=no.detail, id=self.session.request_id))
            code = self.session.closing_code(no, time.monotonic())
            if code is not None:
                await self.close(code)

    # --- effects ------------------------------------------------------------------------------------------------------
    async def _perform(self, effect: session.Effect) -> None:
        match effect:
            case session.Enter(ticket, seen):
                await self._enter(ticket, seen)
            case session.Replay(seen):
                await self._replay(seen)
            case session.Negotiate(offer):
                await self._negotiate(offer)
            case session.SetMuted(participant_id, muted, id_):
                outcome = await off_loop(services.set_muted)(
                    actor=self._actor, meeting_id=self.meeting_id, participant_id=person(participant_id), muted=muted
                )
                await self._done(id_, outcome)
            case session.SetCamera(participant_id, on, id_):
                outcome = await off_loop(services.set_camera)(
                    actor=self._actor, meeting_id=self.meeting_id, participant_id=person(participant_id), on=on
                )
                await self._done(id_, outcome)
            case session.SetScreen(participant_id, on, id_):
                await off_loop(services.set_screen)(
                    actor=self._actor, meeting_id=self.meeting_id, participant_id=person(participant_id), on=on
                )
                await self._done(id_, "applied")
            case session.SetHand(participant_id, raised, id_):
                await off_loop(services.raise_hand)(
                    actor=self._actor, meeting_id=self.meeting_id, participant_id=person(participant_id), raised=raised
                )
                await self._done(id_, "applied")
            case session.TellViews(views):
                self.views = views
                if self.views_timer is None:
                    self._views_due()
            case session.SayText(id_, text):
                await off_loop(services.say)(actor=self._actor, meeting_id=self.meeting_id, client_id=id_, text=text)
                await self._done(id_, "applied")
            case session.Command(message):
                await off_loop(perform)(actor=self._actor, meeting_id=self.meeting_id, message=message)
                await self._done(getattr(message, "id", None), "applied")
            case session.LeaveMeeting():
                if self.participant_id is not None:
                    await off_loop(services.leave_meeting)(
                        meeting_id=self.meeting_id, participant_id=self.participant_id
                    )
                await self.close(1000)
            case session.EndMeeting(id_):
                await off_loop(services.end_meeting)(actor=self._actor, meeting_id=self.meeting_id)
                await self._done(id_, "applied")

    async def _enter(self, ticket: str, seen: int | None) -> None:
        entrance = await off_loop(services.join_meeting)(ticket=ticket, meeting_id=self.meeting_id)
        self.deadline.cancel()
        self.participant_id = entrance.participant_id
        group = selectors.group_of(entrance.participant_id)
        with contextlib.suppress(*events.AWAY):
            await self.channel_layer.group_add(group, self.channel_name)
        await events.deliver(group, {"type": "session.replaced", "born": self.born, "by": self.channel_name})
        self.ticket = ticket
        if entrance.waiting:
            await self._wait(entrance)
            return
        # Follow first, replay second: a line may come twice, never not at all.
        self.follower = await hub.follow(
            selectors.topic_of(self.meeting_id), str(entrance.participant_id), JournalSource(self.meeting_id)
        )
        metrics.sockets.inc()
        head = self.follower.start
        resumes = seen is not None and head - LONGEST_REPLAY <= seen <= head
        state = await off_loop(selectors.state_of)(self.meeting_id)
        self.epoch = state.epoch
        await self._say(
            protocol.Welcomed(
                participant_id=str(entrance.participant_id),
                role=entrance.role,
                meeting_id=str(entrance.meeting_id),
                room_slug=entrance.room_slug,
                room_title=entrance.room_title,
                epoch=state.epoch,
                version=protocol.VERSION,
                state=None if resumes else state,
            )
        )
        if resumes and seen is not None:
            await self._replay(seen)
        await presence.seen([entrance.participant_id])
        self.session.entered()
        if entrance.role in HOSTS:
            await self._say(await off_loop(selectors.waiting_room)(self.meeting_id))
        self.pump = asyncio.create_task(self._pump(self.follower))
        self.pump.add_done_callback(self._pumped)

    async def _wait(self, entrance: services.Entrance) -> None:
        """Outside until a host decides; the socket alone shows that they still wait."""
        self.session.waits()
        await self._say(
            protocol.AskedToWait(
                participant_id=str(entrance.participant_id),
                room_slug=entrance.room_slug,
                room_title=entrance.room_title,
            )
        )
        self.waiting = asyncio.create_task(self._show_patience(entrance.participant_id))

    async def _show_patience(self, participant_id: UUID) -> None:
        while True:
            await presence.seen([participant_id])
            with contextlib.suppress(*events.AWAY):
                group = selectors.group_of(participant_id)
                await asyncio.wait_for(self.channel_layer.group_add(group, self.channel_name), events.TIMEOUT_S)
            await asyncio.sleep(PATIENCE_BEAT_S)
            # The page takes silence for a dead socket. Of the journal it learns nothing.
            await self._say(protocol.Headed(sequence=0))

    async def participant_decided(self, event: dict[str, Any]) -> None:
        """Somebody decided about who waits here, or time did: ask what has become of them."""
        if self.session.state != "waiting" or self.waiting is None:
            return
        self.waiting.cancel()
        self.session.decided()
        await self._answering(lambda: self._enter(self.ticket, None))

    async def _go_outside(self) -> None:
        """From the meeting back to the waiting room."""
        if self.pump is not None:
            self.pump.cancel()
        if self.follower is not None:
            metrics.sockets.dec()
            follower, self.follower = self.follower, None
            await follower.close()
        self.session.decided()
        await self._answering(lambda: self._enter(self.ticket, None))

    async def _replay(self, seen: int) -> None:
        if self.follower is not None:
            for line in await self.follower.replay(seen):
                await self.send(line.text)

    async def _negotiate(self, offer: protocol.Offer) -> None:
        assert self.participant_id is not None, "the session lets offers through only inside"
        epoch = await off_loop(selectors.carrying_epoch)(meeting_id=self.meeting_id, participant_id=self.participant_id)
        if (earlier := self.offers.pop(offer.id, None)) is not None:
            earlier.cancel()
        self.offers[offer.id] = asyncio.get_running_loop().call_later(ANSWER_WITHIN_S, self._unanswered, offer.id)
        command = Negotiate(
            version=RELAY_VERSION,
            correlation=offer.id,
            meeting_id=str(self.meeting_id),
            epoch=epoch,
            participant_id=str(self.participant_id),
            connection=offer.connection,
            sdp=offer.sdp,
            origins=offer.origins,
        )
        try:
            await relays.negotiate(command, self.channel_name)
        except Refusal:
            # An absent Redis may take longer to notice than the answer was waited for: then it is refused already.
            if offer.id in self.offers:
                self._settle(offer.id, "unreachable")
                raise

    # --- what the page shows ------------------------------------------------------------------------------------------
    def _views_due(self) -> None:
        """Tell the latest views, then none for a moment."""
        if self.views is None:
            self.views_timer = None
            return
        views, self.views = self.views, None
        self.views_timer = asyncio.get_running_loop().call_later(VIEWS_EVERY_S, self._views_due)
        self._soon(self._tell_views(views))

    async def _tell_views(self, views: tuple[protocol.View, ...]) -> None:
        """Views that nobody heard are told again, unless there are newer ones by then."""
        command = Watch(
            version=RELAY_VERSION,
            meeting_id=str(self.meeting_id),
            epoch=self.epoch,
            participant_id=str(self.participant_id),
            views=tuple(View(view.participant_id, view.origin, view.height_px) for view in views),
        )
        if await relays.tell(command) or self.views is not None:
            return
        self.views = views
        if self.views_timer is not None:
            self.views_timer.cancel()
        self.views_timer = asyncio.get_running_loop().call_later(VIEWS_AGAIN_S, self._views_due)

    # --- what others say ----------------------------------------------------------------------------------------------
    async def _pump(self, follower: hub.Follower) -> None:
        """From the hub to the browser, until the socket or the meeting ends."""
        while True:
            heard = await follower.next()
            match heard:
                case hub.Line(_, text):
                    await self.send(text)
                    await self._heed(text)
                case hub.Word(text):
                    await self.send(text)
                case hub.Head(sequence):
                    await self._say(protocol.Headed(sequence=sequence))
                    # Said again at each beat, so that an emptied Redis heals.
                    with contextlib.suppress(*events.AWAY):
                        group = selectors.group_of(follower.key)
                        await asyncio.wait_for(self.channel_layer.group_add(group, self.channel_name), events.TIMEOUT_S)
                case hub.Slow():
                    await self._refuse("socket.slow", "Your connection is too slow; joining again.", SLOW)
                    return

    async def _heed(self, text: str) -> None:
        """Hang up after a line that ends this browser's meeting; note who carries it."""
        if not text.startswith(('{"type":"left"', '{"type":"ended"', '{"type":"moved"')):
            return
        match protocol.line_codec.decode(text):
            case protocol.Moved(epoch=epoch):
                self.epoch = epoch
            case protocol.Ended():
                await self._refuse("meeting.over", "The meeting is over.", 4409)
            case protocol.Left(participant_id=gone, reason=reason) if gone == str(self.participant_id):
                match reason:
                    case "lobby":
                        self._soon(self._go_outside())
                    case "banned":
                        await self._refuse("participant.banned", "A host keeps you out of this meeting.", 4403)
                    case "removed":
                        await self._refuse("participant.removed", "A host has sent you out.", 4403)
                    case "lost":
                        # The sweep thought that we were gone, but here we are: join again.
                        await self._refuse("session.lost", "The connection was lost; joining again.", 4409)
                    case _:
                        await self.close(1000)

    async def relay_said(self, event: dict[str, Any]) -> None:
        """News for this participant alone, encoded already: passed on untouched."""
        text = str(event["text"])
        if self.offers and text.startswith(('{"type":"answered"', '{"type":"refused"')):
            answer = _answer.decode(text)
            if answer.id is not None:
                if answer.type == "answered" and answer.epoch != self.epoch and not await self._is_epoch(answer.epoch):
                    self._settle(answer.id, "outdated")
                    no = "The meeting has moved; trying again."
                    await self._say(protocol.Refused(code="relay.unavailable", detail=no, id=answer.id))
                    return
                self._settle(answer.id, answer.type)
        await self.send(text)

    async def _is_epoch(self, epoch: int | None) -> bool:
        """Whether a relay that says so carries the meeting. While the database cannot be asked it is believed: the
        browser plays whatever epoch it was told.
        """
        try:
            plan = await off_loop(selectors.relay_plan)(self.meeting_id)
        except (DatabaseError, Refusal):
            return True
        return plan is not None and plan.epoch == epoch

    async def session_replaced(self, event: dict[str, Any]) -> None:
        """The same participant opened a newer socket."""
        if event["by"] != self.channel_name and event["born"] > self.born:
            if self.handed_over:
                await self.let_go()
            else:
                await self._refuse("session.replaced", "You joined from another window.", REPLACED)

    # --- when this process ends ---------------------------------------------------------------------------------------
    async def hand_over(self, within_ms: int) -> None:
        """Whoever is inside moves in their time; whoever is not comes again."""
        self.handed_over = True
        if self.follower is None:
            await self.let_go()
        else:
            await self._say(protocol.HandedOver(within_ms=within_ms))

    async def let_go(self) -> None:
        """Hang up."""
        await self.close(RESTARTING)

    # --- small things -------------------------------------------------------------------------------------------------
    @property
    def _actor(self) -> selectors.Actor:
        return selectors.Actor(participant_id=self.participant_id)

    def _unanswered(self, offer_id: str) -> None:
        self._settle(offer_id, "unanswered")
        text = "The media relay does not answer; trying again."
        self._soon(self._say(protocol.Refused(code="relay.unavailable", detail=text, id=offer_id)))

    def _settle(self, offer_id: str, outcome: str) -> None:
        timer = self.offers.pop(offer_id, None)
        if timer is not None:
            timer.cancel()
            metrics.offers.labels(outcome=outcome).inc()

    def _hang_up(self, code: str, close: int) -> None:
        self._soon(self._refuse(code, "Join first.", close))

    def _soon(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self.closing.add(task)
        task.add_done_callback(self.closing.discard)

    def _pumped(self, pump: "asyncio.Task[None]") -> None:
        if not pump.cancelled() and (defect := pump.exception()) is not None:
            _log.error("socket.failed", meeting_id=str(self.meeting_id), exc_info=defect)
            self._soon(self.close(1011))

    async def _done(self, id_: str | None, outcome: services.Outcome) -> None:
        if id_ is not None:
            await self._say(protocol.Done(id=id_, outcome=outcome))

    async def _refuse(self, code: str, detail: str, close: int) -> None:
        refusals.labels(code=code, door="socket").inc()
        await self._say(protocol.Refused(code=code, detail=detail))
        await self.close(close)

    async def _say(self, message: Message) -> None:
        await self.send(encode(message))

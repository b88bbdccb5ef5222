"""What a relay reports, told to the browsers it concerns: in order, from a queue, never waited for by the relay."""

import asyncio
from collections.abc import Callable
from itertools import count

import structlog
from channels.layers import get_channel_layer

from common.events import deliver, publish_passing
from common.wire import Message, encode
from conference import metrics, protocol, selectors
from media import control

log = structlog.get_logger(__name__)

NEWS_LENGTH = 10_000
"""Reports beyond this are dropped and counted: their way out is gone for long."""


class Teller:
    """The news of one relay host, and who waits for which answer."""

    def __init__(self) -> None:
        self._replies: dict[str, tuple[str, str]] = {}
        self._numbers = count(1)
        self._news: asyncio.Queue[control.Report] = asyncio.Queue(NEWS_LENGTH)

    def expect(self, channel: str, offer_id: str) -> str:
        """A number of our own for an offer: browsers choose theirs, and two may choose the same."""
        number = str(next(self._numbers))
        self._replies[number] = (channel, offer_id)
        return number

    def heard(self, report: control.Report) -> None:
        """From the relay, inside its loop: never wait here."""
        try:
            self._news.put_nowait(report)
        except asyncio.QueueFull:
            metrics.host_faults.labels("news").inc()

    async def tell(self) -> None:
        """Wait for one report and pass it on. Raise RedisError or TimeoutError where nobody is told."""
        await self._pass_on(await self._news.get())

    async def _pass_on(self, report: control.Report) -> None:
        match report:
            case control.Negotiated():
                await self._reply(report.correlation, lambda id_: protocol.Answered(id_, report.epoch, report.sdp))
            case control.Declined():
                await self._reply(report.correlation, lambda id_: protocol.Refused(report.code, report.detail, id_))
            case control.SlotsAssigned():
                slots = tuple(protocol.Slot(a.mid, a.kind, a.participant_id, a.origin) for a in report.assignments)
                text = encode(protocol.SlotsAssigned(report.epoch, slots))
                await deliver(selectors.group_of(report.participant_id), _passing(text))
            case control.SpeakersHeard():
                speakers = tuple(protocol.Loudness(s.participant_id, s.level) for s in report.speakers)
                text = encode(protocol.SpeakersHeard(report.epoch, speakers))
                await publish_passing(selectors.topic_of(report.meeting_id), text)
            case control.LookedAt():
                views = tuple(protocol.OwnView(view.origin, view.height_px) for view in report.views)
                text = encode(protocol.LookedAt(report.epoch, views))
                await deliver(selectors.group_of(report.participant_id), _passing(text))
            case control.ConnectionChanged():
                log.info(
                    "relay.connection.changed",
                    meeting_id=report.meeting_id,
                    participant_id=report.participant_id,
                    connection=report.connection,
                    up=report.up,
                )

    async def _reply(self, number: str, word: Callable[[str], Message]) -> None:
        channel, offer_id = self._replies.pop(number)
        await asyncio.wait_for(get_channel_layer().send(channel, _passing(encode(word(offer_id)))), 1.0)


def _passing(text: str) -> dict[str, str]:
    return {"type": "relay.said", "text": text}

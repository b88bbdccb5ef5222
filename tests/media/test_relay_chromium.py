"""Two real Chromium pages talk through the relay in this process: layers, codecs, lost sound."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page

from media import control
from tests.media.test_relay import Hall, hall
from tests.media.transport import chromium
from tests.media.transport.clients import until

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not chromium.have_chromium(), reason="chromium is not installed"),
]

INBOUND = """async kind => [...(await pc.getStats()).values()]
  .filter(entry => entry.type === 'inbound-rtp' && entry.kind === kind && entry.packetsReceived)"""
ALL_LAYERS = """async on => {
  const sender = pc.getSenders().find(s => s.track.kind === 'video');
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings) encoding.active = on.includes(encoding.rid);
  await sender.setParameters(parameters);
}"""


LISTEN = """() => { window.ears = pc.getReceivers().filter(r => r.track.kind === 'audio').map(r => {
  const ear = new Audio(); ear.srcObject = new MediaStream([r.track]); ear.play(); return ear; }); }"""


class Talk:
    """Ann sends from one page, Bob receives in another."""

    def __init__(self, m: Hall, ann: Page, bob: Page) -> None:
        self.hall, self.ann, self.bob = m, ann, bob

    async def begin(self, **how: Any) -> None:
        how = {"codec": None, "simulcast": False} | how
        for who, page, script, said in (
            ("bob", self.bob, chromium.RECEIVE, {"seats": 2}),
            ("ann", self.ann, chromium.SEND, how),
        ):
            offer = await page.evaluate(script, said)
            answer = await self.hall.offer(who, "send" if who == "ann" else "receive", offer)
            assert isinstance(answer, control.Negotiated), answer
            assert await page.evaluate(chromium.ANSWERED, answer.sdp) == "stable"
        await self.bob.evaluate(LISTEN)

    def watch(self, *views: tuple[str, control.Origin, int]) -> None:
        seen = tuple(control.View(*view) for view in views)
        self.hall.relay.perform(control.Watch(control.VERSION, "m", 1, "bob", seen))

    async def inbound(self, kind: str = "video") -> dict[str, Any]:
        entries = await self.bob.evaluate(INBOUND, kind)
        return entries[0] if entries else {}

    async def sees(self, height: int | None = None, frames: int = 15, seconds: float = 25) -> dict[str, Any]:
        """Wait until Bob decoded so many more pictures of this height; the last statistics."""
        begun = None
        async with asyncio.timeout(seconds):
            while True:
                now = await self.inbound()
                if now and (height is None or now.get("frameHeight") == height):
                    begun = now["framesDecoded"] if begun is None else begun
                    if now["framesDecoded"] >= begun + frames:
                        return now
                else:
                    begun = None
                await asyncio.sleep(0.05)


@asynccontextmanager
async def talk() -> AsyncIterator[Talk]:
    async with hall("ann", "bob") as m, chromium.page() as ann:
        bob = await ann.context.new_page()
        await bob.route("**/*", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
        await bob.goto("http://localhost/")
        yield Talk(m, ann, bob)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_page_is_given_the_layer_that_it_shows_and_each_change_is_without_a_freeze(codec: str) -> None:
    async with talk() as t:
        await t.begin(simulcast=True, codec=codec)
        await t.sees(720)
        for height_px, seen in ((160, 180), (300, 360), (720, 720), (180, 180)):
            t.watch(("ann", "camera", height_px))
            last = await t.sees(seen)
        assert last["totalFreezesDuration"] < 0.5, last
        assert last["framesDropped"] < 10, last


async def test_where_a_layer_falls_silent_another_takes_its_place() -> None:
    async with talk() as t:
        await t.begin(simulcast=True)
        await t.sees(720)
        await t.ann.evaluate(ALL_LAYERS, ["q"])
        await t.sees(180)
        await t.ann.evaluate(ALL_LAYERS, ["q", "h", "f"])
        await t.sees(720)


@pytest.mark.parametrize("codec", ["VP9", "AV1"])
async def test_newer_codecs_pass_in_both_directions(codec: str) -> None:
    async with talk() as t:
        await t.begin(codec=codec)
        seen = await t.sees()
        codecs = await t.bob.evaluate("async id => (await pc.getStats()).get(id).mimeType", seen["codecId"])
        assert codecs == f"video/{codec}"


def losing(receive: Callable[..., Any], dice: Any, share: float) -> Callable[..., Any]:
    """Lose a share of the media packets on their way."""

    def lose(*arguments: Any) -> Any:
        packet = arguments[0]
        media = 128 <= packet[0] < 192 and not 192 <= packet[1] <= 223
        return None if media and dice.random() < share else receive(*arguments)

    return lose


async def test_sound_that_is_lost_on_either_way_is_sent_again() -> None:
    async with talk() as t:
        await t.begin()
        await until(lambda: t.hall.total.packets_out > 100, 20)
        dice = random.Random(7)
        for peer in next(iter(t.hall.relay._meetings.values())).peers.values():
            way = "sendto" if peer.participant_id == "bob" else "_unprotect"
            setattr(peer.connection, way, losing(getattr(peer.connection, way), dice, 0.1))
        begun = await t.inbound("audio")
        async with asyncio.timeout(30):
            # The page alone knows, and has to be asked.
            while (now := await t.inbound("audio"))["packetsReceived"] < begun["packetsReceived"] + 300:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert now["nackCount"] > 5
        assert now["packetsLost"] - begun["packetsLost"] < 10, "without repeats some 60 of 300 would be gone"

"""A real Chromium takes our answers, connects over UDP and over TCP alone, and sends."""

from dataclasses import replace

import pytest

from media.rtp.packets import parse_packet
from media.transport.sdp import SlotTerms, answer_receive, answer_send, read_offer
from tests.media.transport import chromium
from tests.media.transport.clients import endpoint, until

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not chromium.have_chromium(), reason="chromium is not installed"),
]


class Ours:
    def __init__(self, at):
        self.rtp, self.rtcp, self.up = [], [], []
        self.connection = at.create_connection(
            on_ready=lambda: self.up.append(True),
            on_rtp=lambda packet, _: self.rtp.append(packet),
            on_rtcp=lambda packet, _: self.rtcp.append(packet),
            on_closed=lambda: self.up.append(False),
        )


@pytest.mark.parametrize(
    ("codec", "simulcast", "tcp"), [(None, False, False), ("H264", False, True), (None, True, False)]
)
async def test_chromium_sends_to_us(codec, simulcast, tcp):
    async with endpoint() as at, chromium.page() as page:
        ours = Ours(at)
        offer = read_offer(await page.evaluate(chromium.SEND, {"codec": codec, "simulcast": simulcast}))
        local = ours.connection.local
        if tcp:
            local = replace(local, candidates=tuple(c for c in local.candidates if " tcp " in c))
        answer = answer_send(offer, local)
        ours.connection.set_remote(offer.fingerprint)
        assert await page.evaluate(chromium.ANSWERED, answer.text) == "stable"
        wanted = {section.payload_type for section in answer.sections}
        assert [section.codec for section in answer.sections] == ["opus", codec or "VP8"]
        await until(lambda: {parse_packet(packet).payload_type for packet in ours.rtp} >= wanted, 20)
        figures = ours.connection.figures()
        assert (figures.profile, figures.path) == ("SRTP_AEAD_AES_128_GCM", "tcp" if tcp else "udp")
        await page.evaluate("pc.close()")
        await until(lambda: ours.up == [True, False])


async def test_chromium_takes_four_seats_each_in_sync():
    async with endpoint() as at, chromium.page() as page:
        ours = Ours(at)
        offer = read_offer(await page.evaluate(chromium.RECEIVE, {"seats": 4}))
        terms = {
            section.mid: SlotTerms(1000 + n, 2000 + n if section.kind == "video" else None, seat, seat, f"t{n}")
            for n, section in enumerate(offer.sections)
            for seat in (f"s{n // 2}",)
        }
        answer = answer_receive(offer, ours.connection.local, terms)
        ours.connection.set_remote(offer.fingerprint)
        assert await page.evaluate(chromium.ANSWERED, answer.text) == "stable"
        await until(lambda: ours.connection.ready, 20)
        assert await page.evaluate("streams") == [[str(n), f"s{n // 2}"] for n in range(8)]
        ours.connection.close()

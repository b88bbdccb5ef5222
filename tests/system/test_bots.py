"""The bots: what they send is real, and they take in what others send."""

from array import array
from fractions import Fraction

import pytest
from aiortc.codecs.opus import OpusDecoder
from aiortc.codecs.vpx import Vp8Decoder
from aiortc.jitterbuffer import JitterFrame
from av import AudioFrame, VideoFrame

from tests.system.bots import HEIGHT, PICTURES, WIDTH, Bot, film, tone
from tests.system.operated import Operated


def test_the_film_is_a_keyframe_and_pictures_that_change_it() -> None:
    decoder = Vp8Decoder()
    shown = [
        frame for n, pieces in enumerate(film()) for frame in decoder.decode(JitterFrame(b"".join(pieces), n * 9000))
    ]
    pictures = [picture for picture in shown if isinstance(picture, VideoFrame)]
    assert len(pictures) == PICTURES
    assert {(picture.width, picture.height, picture.time_base) for picture in pictures} == {
        (WIDTH, HEIGHT, Fraction(1, 90_000))
    }
    assert len({bytes(picture.planes[0]) for picture in pictures}) == PICTURES


def test_the_tone_is_loud() -> None:
    decoder = OpusDecoder()
    heard = [frame for n, packet in enumerate(tone()) for frame in decoder.decode(JitterFrame(packet, n * 960))]
    sounds = [array("h", bytes(sound.planes[0])) for sound in heard if isinstance(sound, AudioFrame)]
    assert len(sounds) == 50
    assert max(sounds[10]) > 4000


@pytest.mark.system
async def test_bots_hear_and_see_each_other(quorum: Operated) -> None:
    address = f"127.0.0.1:{quorum.port}"
    one = await Bot.enter(address, "hello", "One")
    other = await Bot.enter(address, "hello", "Other")
    try:
        await one.send()
        await other.receive(2)
        await other.first_packet
        while not all(other.received.values()):
            await other.news()
        assert {slot["participantId"] for slot in other.slots} == {one.id}
    finally:
        await one.close()
        await other.close()

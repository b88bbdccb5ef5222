"""Where VP9 (RFC 9628) and AV1 payloads begin a picture that needs no other, and where VP9's numbers are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import av1, vp8, vp9
from media.rtp.packets import MalformedPacket


@pytest.mark.parametrize(
    ("payload", "keyframe", "picture", "picture_at", "tl0", "tl0_at"),
    [
        ("08 aa", True, None, None, None, None),
        ("0a 00 aa", True, None, None, None, None),
        ("00 aa", False, None, None, None, None),
        ("48 aa", False, None, None, None, None),
        ("88 11 aa", True, 17, 1, None, None),
        ("88 92 34 aa", True, 0x1234, 1, None, None),
        ("a8 92 34 00 07 aa", True, 0x1234, 1, 7, 4),
        ("a8 92 34 02 07 aa", False, 0x1234, 1, 7, 4),
        ("b8 11 00 aa", True, 17, 1, None, None),
        ("28 00 07 aa", True, None, None, 7, 2),
    ],
)
def test_a_vp9_descriptor_tells_where_its_fields_are(
    payload: str, keyframe: bool, picture: int | None, picture_at: int | None, tl0: int | None, tl0_at: int | None
) -> None:
    data = bytes.fromhex(payload)
    read = vp9.parse_descriptor(data)
    assert read.keyframe == vp9.is_keyframe(data) == keyframe
    assert (read.picture_id, read.picture_id_position) == (picture, picture_at)
    assert (read.tl0picidx, read.tl0picidx_position) == (tl0, tl0_at)


@pytest.mark.parametrize(
    ("payload", "keyframe"),
    [
        ("18 0a 0b 00", True),
        ("08 02 12 00 0b 0a", False),
        ("28 0c 0a 0b 00", True),
        ("10 0a 0b 00", False),
        ("98 0a 0b 00", False),
        ("18 32 0b 00", False),
        ("18", False),
        ("", False),
        ("28 80", False),
    ],
)
def test_an_av1_payload_begins_a_sequence_only_with_its_header(payload: str, keyframe: bool) -> None:
    assert av1.is_keyframe(bytes.fromhex(payload)) is keyframe


def test_a_vp8_keyframe_tells_its_height() -> None:
    data = bytes.fromhex("10 30 0b 00 9d 01 2a 00 05 d0 02")
    assert vp8.height_px(data, vp8.parse_descriptor(data)) == 720
    assert vp8.height_px(data[:9], vp8.parse_descriptor(data)) == 0


@given(st.binary(max_size=12))
def test_any_payload_raises_nothing_but_malformed_packet(data: bytes) -> None:
    av1.is_keyframe(data)
    try:
        vp9.parse_descriptor(data)
    except MalformedPacket:
        assert not vp9.is_keyframe(data)

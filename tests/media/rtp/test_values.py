"""Header extensions, wrapping numbers and payloads."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import extensions, h264, sequence, vp8
from media.rtp.packets import MalformedPacket, parse_packet
from tests.media.corpora import corpus, mutations


@given(st.dictionaries(st.integers(1, 14), st.binary(min_size=1, max_size=16), max_size=14))
def test_short_extensions_take_the_one_byte_form_and_survive(values):
    profile, data = extensions.build_extensions(values)
    assert profile == extensions.ONE_BYTE_PROFILE and len(data) % 4 == 0
    assert extensions.parse_extensions(profile, data) == values


@given(st.dictionaries(st.integers(1, 255), st.binary(max_size=255), min_size=1, max_size=14))
def test_any_extensions_survive(values):
    assert extensions.parse_extensions(*extensions.build_extensions(values)) == values


@given(st.sampled_from((0xBEDE, 0x1000, 0x100F, 0x1234)), st.binary(max_size=40))
def test_any_extension_bytes_raise_nothing_but_malformed_packet(profile, data):
    with contextlib.suppress(MalformedPacket):
        extensions.parse_extensions(profile, data)


def test_id_fifteen_ends_the_one_byte_form():
    assert extensions.parse_extensions(0xBEDE, bytes.fromhex("10aa00f0 2 0bb0000".replace(" ", ""))) == {1: b"\xaa"}


def test_values_of_extensions_are_read_and_written():
    level = extensions.AudioLevel(voice=True, level_dbov=42)
    assert extensions.read_audio_level(extensions.build_audio_level(level)) == level
    assert extensions.build_abs_send_time(1_000_000) == (1 << 18).to_bytes(3, "big")
    assert extensions.build_abs_send_time(65_000_000) == extensions.build_abs_send_time(1_000_000)
    assert extensions.read_abs_send_time(bytes.fromhex("040000")) == 1_000_000
    assert extensions.read_transport_sequence(b"\x12\x34") == 0x1234
    assert extensions.read_text(b"0\0") == "0"
    for read, value in (
        (extensions.read_audio_level, b""),
        (extensions.read_abs_send_time, b"1"),
        (extensions.read_transport_sequence, b"1"),
        (extensions.read_text, b"\xff"),
    ):
        with pytest.raises(MalformedPacket):
            read(value)


@given(st.integers(0, 1 << 40), st.integers(-0x7FFF, 0x7FFF))
def test_sixteen_bits_unwrap_to_the_nearest(reference, step):
    assert sequence.unwrap16((reference + step) & 0xFFFF, reference) == reference + step


@given(st.integers(0, 1 << 50), st.integers(-0x7FFF_FFFF, 0x7FFF_FFFF))
def test_thirty_two_bits_unwrap_to_the_nearest(reference, step):
    assert sequence.unwrap32((reference + step) & 0xFFFF_FFFF, reference) == reference + step


def test_newer_holds_across_the_wrap():
    assert sequence.newer16(0, 65535) and not sequence.newer16(65535, 0) and not sequence.newer16(7, 7)
    assert sequence.newer32(0, 0xFFFF_FFFF) and not sequence.newer32(0xFFFF_FFFF, 0)


@pytest.mark.parametrize(
    ("payload", "keyframe", "picture", "picture_at", "tl0", "tl0_at", "temporal", "size"),
    [
        ("10 00", True, None, None, None, None, None, 1),
        ("10 01", False, None, None, None, None, None, 1),
        ("00 00", False, None, None, None, None, None, 1),
        ("11 00", False, None, None, None, None, None, 1),
        ("90 80 11 00", True, 17, 2, None, None, None, 3),
        ("90 80 92 34 00", True, 0x1234, 2, None, None, None, 4),
        ("90 e0 80 01 07 40 01", False, 1, 2, 7, 4, 1, 6),
        ("90 40 07 00", True, None, None, 7, 2, None, 3),
        ("90 10 1f 00", True, None, None, None, None, None, 3),
    ],
)
def test_a_vp8_descriptor_tells_where_its_fields_are(
    payload, keyframe, picture, picture_at, tl0, tl0_at, temporal, size
):
    data = bytes.fromhex(payload)
    descriptor = vp8.parse_descriptor(data)
    assert descriptor.keyframe == vp8.is_keyframe(data) == keyframe
    assert (descriptor.picture_id, descriptor.picture_id_position) == (picture, picture_at)
    assert (descriptor.tl0picidx, descriptor.tl0picidx_position) == (tl0, tl0_at)
    assert (descriptor.temporal_id, descriptor.descriptor_bytes) == (temporal, size)


@given(st.binary(max_size=12))
def test_any_vp8_payload_raises_nothing_but_malformed_packet(data):
    try:
        vp8.parse_descriptor(data)
    except MalformedPacket:
        assert not vp8.is_keyframe(data)


@pytest.mark.parametrize(
    ("payload", "types", "keyframe"),
    [
        ("65 88", (5,), True),
        ("67 42", (7,), True),
        ("41 9a", (1,), False),
        ("78 0002 6742 0002 68ce 0002 6588", (7, 8, 5), True),
        ("78 0002 06aa 0002 419a", (6, 1), False),
        ("7c 85 88", (5,), True),
        ("7c 05 88", (), False),
        ("5c 81 9a", (1,), False),
    ],
)
def test_an_h264_payload_tells_what_begins_in_it(payload, types, keyframe):
    data = bytes.fromhex(payload)
    assert h264.nal_types(data) == types
    assert h264.is_keyframe(data) is keyframe


@given(st.binary(max_size=20) | st.binary(max_size=20).map(lambda data: b"\x78" + data))
def test_any_h264_payload_raises_nothing_but_malformed_packet(data):
    try:
        h264.nal_types(data)
    except MalformedPacket:
        assert not h264.is_keyframe(data)


def test_h264_corpora_and_their_mutations_raise_nothing_but_malformed_packet():
    for data in mutations(corpus("h264", "rtp"), each=300):
        for payload in (data, data[12:]):
            h264.is_keyframe(payload)
            vp8.is_keyframe(payload)
            try:
                packet = parse_packet(data)
                extensions.parse_extensions(packet.extension_profile, packet.extension)
                h264.nal_types(payload)
                vp8.parse_descriptor(payload)
            except MalformedPacket:
                continue

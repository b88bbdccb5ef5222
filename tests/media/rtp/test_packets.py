"""RTP packets, their retransmissions, and the corpora of others."""

import contextlib
import json
from pathlib import Path

import pytest
from aiortc.rtp import RtpPacket as Peer
from hypothesis import given
from hypothesis import strategies as st

from media.rtp.packets import MalformedPacket, RtpPacket, build_packet, is_rtcp, parse_packet, unwrap_rtx, wrap_rtx
from tests.media.corpora import corpus, mutations

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "rtp.json").read_text())

u16, u32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)
packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=u16,
    timestamp=u32,
    ssrc=u32,
    payload=st.binary(max_size=60),
    marker=st.booleans(),
    csrcs=st.lists(u32, max_size=15).map(tuple),
    padding_bytes=st.integers(0, 255),
) | st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=u16,
    timestamp=u32,
    ssrc=u32,
    payload=st.binary(max_size=60),
    extension_profile=u16,
    extension=st.binary(max_size=10).map(lambda data: data * 4),
)


@pytest.mark.parametrize("vector", VECTORS["packets"], ids=lambda vector: vector["name"])
def test_a_golden_packet_reads_as_its_value_and_writes_as_its_bytes(vector):
    data = bytes.fromhex(vector["hex"])
    expected = dict(vector["value"])
    packet = RtpPacket(
        **{
            **expected,
            "payload": bytes.fromhex(expected["payload"]),
            "extension": bytes.fromhex(expected["extension"]),
            "csrcs": tuple(expected["csrcs"]),
        }
    )
    assert parse_packet(data) == packet
    assert build_packet(packet) == data


@pytest.mark.parametrize("vector", VECTORS["malformed"], ids=lambda vector: vector["name"])
def test_a_golden_malformed_packet_is_refused(vector):
    with pytest.raises(MalformedPacket):
        parse_packet(bytes.fromhex(vector["hex"]))


@given(packets)
def test_what_is_built_is_read_again(packet):
    assert parse_packet(build_packet(packet)) == packet


@given(st.binary(max_size=80))
def test_only_malformed_packet_is_raised_for_any_bytes(data):
    with contextlib.suppress(MalformedPacket):
        parse_packet(data)


@given(packets.filter(lambda packet: packet.padding_bytes == 0), u16, u32)
def test_a_retransmission_gives_the_original_back(packet, sequence, ssrc):
    resent = parse_packet(build_packet(wrap_rtx(packet, payload_type=97, sequence=sequence, ssrc=ssrc)))
    assert (resent.payload_type, resent.sequence, resent.ssrc) == (97, sequence, ssrc)
    assert unwrap_rtx(resent, payload_type=packet.payload_type, ssrc=packet.ssrc) == packet


def test_a_probe_of_padding_alone_is_no_retransmission():
    with pytest.raises(MalformedPacket):
        unwrap_rtx(RtpPacket(97, 1, 1, 1, padding_bytes=200), payload_type=96, ssrc=2)


def test_the_second_byte_tells_rtcp_from_rtp():
    assert is_rtcp(bytes((0x80, 200)))
    assert not is_rtcp(bytes((0x80, 111)))
    assert not is_rtcp(bytes((0x80, 128 | 96)))
    assert not is_rtcp(b"")


def test_corpora_and_their_mutations_raise_nothing_but_malformed_packet():
    read = 0
    for data in mutations(corpus("rtp", "srtp", "h264"), each=200):
        try:
            packet = parse_packet(data)
        except MalformedPacket:
            continue
        read += 1
        assert parse_packet(build_packet(packet)) == packet
    assert read


def test_another_implementation_reads_the_corpus_alike():
    for data in corpus("rtp"):
        ours, theirs = parse_packet(data), Peer.parse(data)
        assert (ours.sequence, ours.timestamp, ours.ssrc, ours.payload_type, bool(ours.marker), ours.payload) == (
            theirs.sequence_number,
            theirs.timestamp,
            theirs.ssrc,
            theirs.payload_type,
            bool(theirs.marker),
            theirs.payload,
        )

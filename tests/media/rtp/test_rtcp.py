"""Compound RTCP both ways."""

import contextlib
import json
from dataclasses import asdict
from pathlib import Path

import pytest
from aiortc import rtp as peer
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import rtcp, rtcp_build
from media.rtp.packets import MalformedPacket
from media.rtp.sequence import distance16
from tests.media.corpora import corpus, mutations

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "rtcp.json").read_text())

u8, u32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF_FFFF)
blocks = st.builds(rtcp.ReportBlock, u32, u8, st.integers(-0x80_0000, 0x7F_FFFF), u32, u32, u32, u32)


def plain(value):
    """A value as JSON has it: bytes as hex, tuples as lists."""
    match value:
        case bytes():
            return value.hex()
        case tuple() | list():
            return [plain(each) for each in value]
        case dict():
            return {name: plain(each) for name, each in value.items()}
        case _:
            return value


@pytest.mark.parametrize("vector", VECTORS["compounds"], ids=lambda vector: vector["name"])
def test_a_golden_compound_reads_as_its_values(vector):
    values = rtcp.parse_compound(bytes.fromhex(vector["hex"]))
    assert [{"type": type(value).__name__, **plain(asdict(value))} for value in values] == vector["values"]


@pytest.mark.parametrize("vector", VECTORS["malformed"], ids=lambda vector: vector["name"])
def test_a_golden_malformed_compound_is_refused(vector):
    with pytest.raises(MalformedPacket):
        rtcp.parse_compound(bytes.fromhex(vector["hex"]))


@given(u32, st.integers(0, (1 << 64) - 1), u32, u32, u32, st.lists(blocks, max_size=31).map(tuple))
def test_a_sender_report_survives(ssrc, ntp, timestamp, packets, octets, reports):
    data = rtcp_build.sender_report(
        ssrc, ntp=ntp, timestamp=timestamp, packet_count=packets, octet_count=octets, reports=reports
    )
    assert rtcp.parse_compound(data) == (rtcp.SenderReport(ssrc, ntp, timestamp, packets, octets, reports),)


@given(u32, st.lists(blocks, max_size=31).map(tuple), st.text(max_size=60), u32)
def test_a_compound_keeps_its_order(ssrc, reports, cname, media):
    name = cname.encode()[:255].decode(errors="ignore")
    data = (
        rtcp_build.receiver_report(ssrc, reports)
        + rtcp_build.source_description(ssrc, name)
        + rtcp_build.pli(ssrc, media)
        + rtcp_build.fir(ssrc, media, 7)
        + rtcp_build.bye(ssrc)
    )
    assert rtcp.parse_compound(data) == (
        rtcp.ReceiverReport(ssrc, reports),
        rtcp.SourceDescription((rtcp.Source(ssrc, ((rtcp.CNAME, name.encode()),)),)),
        rtcp.PictureLoss(ssrc, media),
        rtcp.FullIntraRequest(ssrc, ((media, 7),)),
        rtcp.Bye((ssrc,)),
    )


@given(st.integers(0, 0xFFFF), st.sets(st.integers(0, 200), min_size=1, max_size=60))
def test_a_nack_names_exactly_what_is_missing(first, offsets):
    missing = [first + offset & 0xFFFF for offset in sorted(offsets)]
    (nack,) = rtcp.parse_compound(rtcp_build.nack(1, 2, missing))
    assert isinstance(nack, rtcp.Nack)
    assert sorted(nack.sequences, key=lambda sequence: distance16(sequence, first)) == missing


@given(st.integers(0, 1 << 60))
def test_a_bitrate_is_rounded_down_by_less_than_a_part_in_a_hundred_thousand(bitrate):
    (remb,) = rtcp.parse_compound(rtcp_build.remb(1, bitrate, [5, 6]))
    assert isinstance(remb, rtcp.Remb) and remb.ssrcs == (5, 6)
    assert 0 <= bitrate - remb.bitrate_bps <= bitrate // 100_000


def test_ntp_time_is_that_of_the_unix_epoch():
    assert rtcp_build.ntp_time(0) == 2_208_988_800 << 32
    assert rtcp_build.ntp_time(1_500_000) - rtcp_build.ntp_time(0) == 3 << 31


def test_another_implementation_reads_what_we_build():
    data = (
        rtcp_build.sender_report(1, ntp=2, timestamp=3, packet_count=4, octet_count=5)
        + rtcp_build.source_description(1, "somebody")
        + rtcp_build.nack(1, 2, [65500, 65502, 65516, 65535])
        + rtcp_build.pli(1, 2)
    )
    report, description, nack, pli = peer.RtcpPacket.parse(data)
    assert (report.ssrc, report.sender_info.ntp_timestamp, report.sender_info.octet_count) == (1, 2, 5)
    assert description.chunks[0].items == [(1, b"somebody")]
    assert nack.lost == [65500, 65502, 65516, 65535]
    assert (pli.fmt, pli.ssrc, pli.media_ssrc) == (1, 1, 2)


@given(st.binary(max_size=120))
def test_only_malformed_packet_is_raised_for_any_bytes(data):
    with contextlib.suppress(MalformedPacket):
        rtcp.parse_compound(data)


def test_corpora_and_their_mutations_raise_nothing_but_malformed_packet():
    read = 0
    for data in mutations(corpus("rtcp"), each=400):
        try:
            read += len(rtcp.parse_compound(data))
        except MalformedPacket:
            continue
    assert read

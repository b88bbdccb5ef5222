"""The load itself: its arithmetic, its packets, and a small crowd at real servers."""

import os

import pytest

from media.rtp.packets import parse_packet
from media.rtp.vp8 import parse_descriptor
from tests.load.control import Mute, result_of
from tests.load.peers.load import gather_crowd
from tests.load.peers.packets import PACKET_BYTES, PacketWriter, Stream, read_stamp
from tests.load.peers.quorum_relay import QuorumRelay
from tests.load.peers.shapes import LECTURE, MEETING, Crowd, Run, burst_interval_s, figures_of, percentile, samples_of

STREAM = Stream(ssrc=7, payload_type=96, mid="0", mid_id=1, transport_cc_id=2)


def test_a_lecture_forwards_each_packet_to_fifty() -> None:
    assert LECTURE.viewers == (1,) * 50
    assert LECTURE.fan == 50
    assert LECTURE.forwards_per_second == 6250


def test_in_a_meeting_of_ten_each_sees_nine() -> None:
    assert MEETING.viewers == (9,) * 10
    assert MEETING.fan == 9
    assert MEETING.forwards_per_second == 11_250


def test_bursts_carry_the_same_load_as_single_packets() -> None:
    assert burst_interval_s(1) == 0.008
    assert burst_interval_s(5) == 0.040


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([3.0], 0.5, 3.0), ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0), ([float(n) for n in range(1, 101)], 0.95, 95.0)],
)
def test_a_percentile_is_a_value_that_was_measured(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


def test_figures_are_medians_by_server_and_shape() -> None:
    runs = [
        Run(cpu_ns=cpu, forwarded=1000, wall_s=1, sent=20, received=1000, fan=50)
        for cpu in (9_000_000, 5_000_000, 7_000_000)
    ]
    found = figures_of({("twin", "1x50_even"): runs, ("janus", "1x50_even"): []})
    assert found == {"us_per_forward": {"twin": {"1x50_even": 7.0}}, "delivered_share": {"twin": {"1x50_even": 1.0}}}
    assert [run["us_per_forward"] for run in samples_of({("twin", "1x50_even"): runs})["twin"]["1x50_even"]] == [
        9,
        5,
        7,
    ]


def test_a_run_that_lost_a_tenth_says_so() -> None:
    assert Run(cpu_ns=1, forwarded=1, wall_s=1, sent=10, received=450, fan=50).delivered_share == 0.9


def test_a_mutes_figures_are_over_every_socket() -> None:
    mutes = [Mute(answered_ms=9.0, heard_ms=tuple(float(n) for n in range(1, 51))), Mute(7.0, (100.0,) * 50)]
    found = result_of(mutes)
    assert (found["runs"], found["samples"]["sockets"]) == (2, 50)
    assert found["figures"] == {"mute_to_event_ms": {"p50": 50.0, "p95": 100.0}}
    assert found["samples"]["last_heard_ms"] == [50.0, 100.0]


def test_the_loads_packets_are_vp8_that_a_relay_understands() -> None:
    writer = PacketWriter(3, STREAM)
    packets = [writer.write(1_000_000_000 + n) for n in range(10)]
    parsed = [parse_packet(packet) for packet in packets]
    assert {len(packet) for packet in packets} == {PACKET_BYTES}
    assert [packet.sequence for packet in parsed] == list(range(10))
    assert [packet.marker for packet in parsed] == [False] * 4 + [True] + [False] * 4 + [True]
    assert len({packet.timestamp for packet in parsed[:5]}) == 1
    described = [parse_descriptor(packet.payload) for packet in parsed]
    assert [d.keyframe for d in described] == [True] + [False] * 9
    assert [d.picture_id for d in described] == [1] * 5 + [2] * 5


def test_a_keyframe_comes_when_asked_for() -> None:
    writer = PacketWriter(0, STREAM)
    for n in range(5):
        writer.write(n)
    writer.want_keyframe()
    assert parse_descriptor(parse_packet(writer.write(5)).payload).keyframe


def test_a_stamp_is_read_back_and_a_changed_byte_is_noticed() -> None:
    writer = PacketWriter(3, STREAM)
    packet = writer.write(123)
    assert read_stamp(packet)[1:] == (read_stamp(packet)[1], True)
    assert (read_stamp(packet)[1].sent_ns, read_stamp(packet)[1].publisher) == (123, 3)
    assert read_stamp(packet[:-1] + bytes((packet[-1] ^ 1,)))[2] is False


@pytest.mark.system
async def test_every_packet_of_a_small_meeting_arrives_and_opens() -> None:
    crowd = Crowd("2x2", publishers=2)
    relay = QuorumRelay("127.0.0.1")
    await relay.start(os.sched_getaffinity(0), people=2)
    try:
        load = await gather_crowd(relay, crowd)
        try:
            run, sample, heard = await load.run("bursty", 0.5, lead_s=0.0)
        finally:
            await load.close()
    finally:
        await relay.stop()
    assert heard.failed == 0
    assert heard.keyframes > 0, "a viewer that came before the first packet needs a keyframe"
    assert run.sent > 0
    assert (run.received, run.dropped) == (run.sent, 0)
    assert (sample.wrong, sample.gaps) == (0, 0)
    assert sample.opened > 0

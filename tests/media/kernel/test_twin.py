"""The kernel's twin beyond the golden scenarios: strangers, garbage, peers that are not ready, facts."""

import random

from hypothesis import given
from hypothesis import strategies as st

from media.kernel.table import AddSink, AddSource, DropSink, DropSource, Route, Sink, Source, UnknownStream
from media.kernel.twin import UNKNOWN_LIMIT, Twin
from tests.media.kernel.test_golden import MID_BLOCK, Way, packet_of, set_up


def keyframe(seq: int = 1, **more: object) -> dict[str, object]:
    return {"pt": 96, "seq": seq, "ts": seq * 3000, "ssrc": 1002, "payload": "90e08001010010"} | more


def test_a_keyframe_is_not_spent_on_a_peer_without_keys() -> None:
    sent: list[tuple[int, bytes]] = []
    twin = set_up(sent)
    late = Way(9, sent)
    late.ready = False
    twin.attach(9, late)
    twin.apply([AddSink(Sink(99, 9, "video", 77, 78, {"VP8": (96, 97)}, 90_000, MID_BLOCK)), Route(99, 12)])
    twin.receive(1, packet_of(keyframe(1)), 0)
    assert sent == []
    assert twin.facts().waiting == ()  # nobody who could use one waits
    late.ready = True
    assert twin.facts().waiting == (12,)
    twin.receive(1, packet_of(keyframe(2)), 33_000)
    assert [to for to, _ in sent] == [9]


def test_an_unknown_stream_is_told_once_with_its_mid() -> None:
    twin = set_up([])
    for seq in range(5):
        stranger = {"pt": 100, "seq": seq, "ts": 0, "ssrc": 4711, "payload": "00", "extensions": {"4": "31"}}
        twin.receive(1, packet_of(stranger), 0)
    (unknown,) = twin.facts().unknown
    assert (unknown.peer, unknown.ssrc, unknown.payload_type, unknown.mid) == (1, 4711, 100, "1")
    assert twin.facts().unknown == ()


def test_what_is_gone_receives_and_sends_nothing() -> None:
    sent: list[tuple[int, bytes]] = []
    twin = set_up(sent)
    twin.apply([Route(32, 12), DropSource(12)])
    twin.receive(1, packet_of(keyframe(1)), 0)
    assert sent == []
    twin.apply([Route(32, 21), DropSink(32), Route(32, 21), DropSink(32)])
    twin.receive(2, packet_of(keyframe(1, ssrc=2002)), 0)
    assert sent == []
    twin.detach(2)
    twin.detach(2)
    twin.receive(2, packet_of(keyframe(2, ssrc=2002)), 0)
    assert sent == []


def test_arrivals_are_told_by_transport_wide_number_across_its_wrap() -> None:
    twin = set_up([])
    for place, number in enumerate((65534, 65535, 0, 1)):
        audio = {"pt": 111, "seq": place, "ts": 0, "ssrc": 1001, "payload": "00"}
        twin.receive(1, packet_of(audio | {"extensions": {"3": f"{number:04x}"}}), place * 1000)
    ((peer, arrivals),) = twin.facts().arrivals
    assert peer == 1
    assert arrivals == {65534: 0, 65535: 1000, 65536: 2000, 65537: 3000}


def test_loudness_is_the_mean_of_the_interval() -> None:
    twin = set_up([])
    for seq, level in enumerate((27, 37)):  # −dBov
        audio = {"pt": 111, "seq": seq, "ts": 0, "ssrc": 1001, "payload": "00", "extensions": {"1": f"{level:02x}"}}
        twin.receive(1, packet_of(audio), 0)
    loudness = {source.id: source.loudness for source in twin.facts().sources}
    assert loudness[11] == 95
    assert {source.id: source.loudness for source in twin.facts().sources}[11] == 0


@given(st.binary(max_size=80), st.integers(0, 2**31))
def test_garbage_is_counted_and_harms_nothing(noise: bytes, seed: int) -> None:
    sent: list[tuple[int, bytes]] = []
    twin = set_up(sent)
    twin.apply([Route(32, 12), Route(31, 11)])
    dice = random.Random(seed)
    good = bytearray(packet_of(keyframe(1, extensions={"4": "31", "3": "0001"})))
    for _ in range(3):
        good[dice.randrange(len(good))] = dice.randrange(256)
    for packet in (noise, bytes(good), bytes(good[: dice.randrange(len(good))])):
        twin.receive(1, packet, 0)
    before = len(sent)
    twin.receive(1, packet_of({"pt": 111, "seq": 9, "ts": 0, "ssrc": 1001, "payload": "77"}), 1_000_000)
    assert len(sent) == before + 1


def test_a_stream_that_is_claimed_when_it_is_met_loses_no_packet() -> None:
    sent: list[tuple[int, bytes]] = []

    def claim(unknown: UnknownStream) -> None:
        twin.apply([AddSource(Source(77, 1, "video", "VP8", unknown.ssrc, 96, 90_000)), Route(99, 77)])

    twin = Twin(claim)
    for peer in (1, 9):
        twin.attach(peer, Way(peer, sent))
    twin.apply([AddSink(Sink(99, 9, "video", 77, 78, {"VP8": (96, 97)}, 90_000, MID_BLOCK))])
    twin.receive(1, packet_of(keyframe(1, ssrc=4711)), 0)
    assert [to for to, _ in sent] == [9]
    assert twin.facts().unknown == ()
    assert twin.counters.packets_in == 1


def test_a_gap_of_sound_is_told_of_within_the_packet_that_shows_it_and_one_of_pictures_is_not() -> None:
    told: list[tuple[int, list[int], int]] = []
    twin = Twin(lost=lambda source, sequences, now_us: told.append((source, [s & 0xFFFF for s in sequences], now_us)))
    twin.attach(1, Way(1, []))
    twin.apply([AddSource(Source(11, 1, "audio", "opus", 1001, 111, 48_000))])
    twin.apply([AddSource(Source(12, 1, "video", "VP8", 1002, 96, 90_000))])
    for seq in (65_534, 1):
        twin.receive(1, packet_of({"pt": 111, "seq": seq, "ts": 0, "ssrc": 1001, "payload": "00"}), 7)
        twin.receive(1, packet_of(keyframe(seq)), 7)
    assert told == [(11, [65_535, 0], 7)]


def test_a_flood_of_unknown_streams_asks_so_many_times_between_two_ticks_and_no_more() -> None:
    asked: list[UnknownStream] = []
    twin = Twin(asked.append)
    twin.attach(1, Way(1, []))
    for ssrc in range(1000):
        twin.receive(1, packet_of(keyframe(1, ssrc=ssrc)), 0)
    assert len(asked) == UNKNOWN_LIMIT
    assert len(twin.facts().unknown) == UNKNOWN_LIMIT

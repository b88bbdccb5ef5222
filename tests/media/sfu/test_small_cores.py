"""The router's parts, each alone: seats, retries, keyframes, speakers, reports."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from media.kernel.table import SinkFacts, SourceFacts
from media.rtp.rtcp import SenderReport, parse_compound
from media.sfu.keyframes import INTERVAL_US, REPEAT_US, SOON, KeyframeRequests
from media.sfu.reports import Clock, ReceptionReport, carried_over
from media.sfu.seats import Unit, assign, importance
from media.sfu.speakers import SpeakerDetector

people = st.lists(st.sampled_from([Unit(name) for name in "abcdefgh"]), unique=True)


@given(st.integers(0, 6), people, people)
def test_seating_is_full_unique_and_moves_nobody_who_may_stay(count: int, before: list[Unit], now: list[Unit]) -> None:
    held = assign(count, {}, before)
    seated = assign(count, held, now)
    assert len(seated) == min(count, len(now))
    assert len(set(seated.values())) == len(seated)
    assert set(seated.values()) == set(now[:count])
    for seat, unit in held.items():
        if unit in now[:count]:
            assert seated[seat] == unit


def test_screens_come_first_then_those_who_spoke_last_then_those_who_came_first() -> None:
    units = [Unit("ann"), Unit("bob"), Unit("cy"), Unit("dee", screen=True)]
    ordered = importance(units, {"cy": 900, "bob": 100})
    assert [unit.participant_id for unit in ordered] == ["dee", "cy", "bob", "ann"]


def test_a_keyframe_is_asked_for_at_once_then_repeated_until_it_comes() -> None:
    requests = KeyframeRequests()
    requests.want(1, keyframes=4)
    assert requests.due(0) == (1,)
    requests.want(1, keyframes=4)
    assert requests.due(REPEAT_US - 1) == ()
    assert requests.due(REPEAT_US) == (1,)
    requests.seen(1, keyframes=4)
    assert requests.due(2 * REPEAT_US) == (1,)
    requests.seen(1, keyframes=5)
    assert requests.due(9 * INTERVAL_US) == ()


def test_many_wishes_in_a_moment_are_one_asking() -> None:
    requests = KeyframeRequests()
    for now in range(0, REPEAT_US, 1000):
        requests.want(1, keyframes=0)
        assert requests.due(now) == ((1,) if now == 0 else ())


def test_who_does_not_answer_is_asked_ever_less_often() -> None:
    requests = KeyframeRequests()
    requests.want(1, keyframes=0)
    asked = [now for now in range(0, 20 * INTERVAL_US, 10_000) if requests.due(now)]
    assert asked[:SOON] == [n * REPEAT_US for n in range(SOON)]
    assert {later - earlier for earlier, later in pairwise(asked[SOON - 1 :])} == {INTERVAL_US}


def test_a_new_wish_right_after_a_keyframe_waits_until_a_browser_would_follow_it() -> None:
    requests = KeyframeRequests()
    requests.want(1, keyframes=0)
    assert requests.due(0) == (1,)
    requests.seen(1, keyframes=1)
    requests.want(1, keyframes=1)
    assert [now for now in range(0, INTERVAL_US + 1, 10_000) if requests.due(now)] == [INTERVAL_US]


def hear(detector: SpeakerDetector, levels: dict[str, int], start_us: int, ticks: int) -> list[tuple[str, ...]]:
    said = (detector.update(levels, start_us + n * 20_000) for n in range(ticks))
    return [tuple(speaker.participant_id for speaker in speakers) for speakers in said if speakers is not None]


def test_speech_is_noticed_soon_and_noise_never() -> None:
    detector = SpeakerDetector()
    assert hear(detector, {"ann": 100, "bob": 50}, 0, 25)[-1] == ("ann",)
    assert hear(detector, {"ann": 0, "bob": 50}, 500_000, 100)[-1] == ()


def test_a_pause_between_words_does_not_flicker() -> None:
    detector = SpeakerDetector()
    hear(detector, {"ann": 105}, 0, 50)
    assert () not in hear(detector, {"ann": 0}, 1_000_000, 5)


def facts(packets: int, expected: int) -> SourceFacts:
    return SourceFacts(1, packets, 0, expected, 65536 + expected, 30, 0, (), 0, 0)


def test_a_report_tells_the_loss_since_the_last_one() -> None:
    report = ReceptionReport(77)
    assert report.block(facts(100, 100), None, 0).fraction_lost == 0
    block = report.block(facts(150, 200), Clock(0x1_2345_6789_0000, 0, 0), 2_000_000)
    assert (block.fraction_lost, block.packets_lost, block.jitter) == (128, 50, 30)
    assert (block.last_sender_report, block.delay_since) == (0x23456789, 2 * 65536)


def test_a_senders_clock_is_carried_over_in_the_sinks_timestamps() -> None:
    clock = Clock(ntp=100 << 32, timestamp=900_000, at_us=1_000_000)
    packet = carried_over(SinkFacts(3, 1, 5_000, 7, 7000), 4711, clock, 90_000, 1_500_000)
    (said,) = parse_compound(packet)
    assert said == SenderReport(4711, (100 << 32) + (1 << 31), 900_000 + 45_000 + 5_000, 7, 7000)

"""When lost packets are asked for again, by how long answers take; and which viewers are sent things twice."""

import itertools

import pytest

from media.kernel.table import Repeat, Resend
from media.sfu.history import (
    FIRST_RETRY_US,
    GIVE_UP_US,
    LONG_US,
    LONGEST_US,
    MAX_ASKED,
    REORDER_US,
    TICK_US,
    NackSchedule,
    RoundTrip,
)
from media.sfu.repairs import CALM_US, Repairs


def known(longest_us: int) -> RoundTrip:
    return RoundTrip(longest_us)


def asked_us(path: RoundTrip, until_us: int = GIVE_UP_US) -> list[int]:
    schedule, missing = NackSchedule(), ((70_000, 0),)
    return [now for now in range(0, until_us, TICK_US) if schedule.due(missing, now, path)[0]]


@pytest.mark.parametrize(
    ("answered_us", "retry_us"),
    [
        (None, FIRST_RETRY_US),
        (1_000, TICK_US),
        (TICK_US, TICK_US),
        (2 * TICK_US, 45_000),
        (160_000, 195_000),
    ],
)
def test_a_retry_waits_as_long_as_answers_take_and_a_little(answered_us: int | None, retry_us: int) -> None:
    assert RoundTrip(answered_us).retry_us == retry_us


def test_three_lost_tries_cost_less_than_a_tenth_of_a_second_on_a_short_path() -> None:
    asked = asked_us(known(TICK_US))
    assert REORDER_US <= asked[0] <= TICK_US
    assert asked[3] - asked[0] < 100_000
    gaps = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert gaps == sorted(gaps)
    assert len(asked) < 25


def test_on_a_long_path_each_asking_is_said_twice_and_not_again_before_its_answer_could_be_there() -> None:
    path = known(160_000)
    asked = asked_us(path)
    assert path.retry_us >= LONG_US
    assert asked[1] - asked[0] == TICK_US
    assert asked[2] - asked[0] >= 160_000
    assert len(asked[::2]) >= 6


def test_answers_are_learnt_from_what_was_asked_for_once() -> None:
    path, schedule = RoundTrip(), NackSchedule()
    schedule.due(((1, 0), (2, 0)), TICK_US, path)
    schedule.due(((2, 0),), 2 * TICK_US, path)
    assert path.retry_us == TICK_US
    assert schedule.due(((2, 0),), 5 * TICK_US, path)[0] == (2,)
    schedule.due((), 6 * TICK_US, path)
    assert path.longest_us == TICK_US, "the second was asked for twice"


def test_a_longer_answer_counts_at_once_and_a_shorter_one_bit_by_bit() -> None:
    path = known(TICK_US)
    path.answered([100_000], [])
    assert path.longest_us == 100_000
    path.answered([20_000], [])
    assert path.longest_us == 90_000


def test_an_answer_after_a_cut_does_not_make_the_path_long() -> None:
    path = known(TICK_US)
    path.answered([1_900_000], [])
    assert path.longest_us == LONGEST_US
    for _ in range(30):
        path.answered([TICK_US], [])
    assert path.retry_us < 60_000


def test_where_nothing_ever_comes_after_one_asking_the_path_is_longer_than_was_thought() -> None:
    path = known(TICK_US)
    for doubt_us in (180_000, 160_000):
        path.answered([], [doubt_us])
        assert path.longest_us == TICK_US
    path.answered([], [200_000])
    assert path.longest_us == 160_000


def test_a_lost_packet_is_forgotten_in_the_end() -> None:
    assert NackSchedule().due(((5, 0),), GIVE_UP_US + 1, RoundTrip()) == ((), (5,))


def test_a_gap_of_sound_is_asked_for_within_the_packet_that_shows_it_and_again_by_the_ticks() -> None:
    path, schedule = known(TICK_US), NackSchedule()
    assert schedule.noticed(range(7, 9), 5_000, path) == (7, 8)
    missing = ((7, 5_000), (8, 5_000))
    assert schedule.due(missing, 10_000, path) == ((), ())
    assert schedule.due(missing[1:], 30_000, path) == ((8,), ())
    assert len(schedule.noticed(range(10, 400), 40_000, path)) == MAX_ASKED


@pytest.mark.parametrize(
    ("before", "kind", "fraction_lost", "lossy"),
    [
        (0, "video", 9, False),
        (0, "video", 10, True),
        (0, "audio", 9, False),
        (0, "audio", 26, True),
        (26, "audio", 1, True),
        (26, "audio", 0, False),
        (26, "video", 9, False),
    ],
)
def test_who_loses_much_is_lossy_and_sound_sent_twice_is_judged_by_what_was_lost_twice(
    before: int, kind: str, fraction_lost: int, lossy: bool
) -> None:
    repairs = Repairs()
    repairs.reported("video", before, 0)
    repairs.reported("audio" if kind == "audio" else "video", fraction_lost, CALM_US - 1)
    assert repairs.lossy(CALM_US) is lossy


def test_a_lossy_viewer_is_answered_twice_a_tick_apart_and_any_other_once() -> None:
    repairs, answer = Repairs(), Resend(3, (5, 6))
    assert repairs.answer(answer, 0) == answer
    assert repairs.due([3], 0) == []
    repairs.reported("video", 26, 0)
    assert repairs.answer(answer, 0) == answer
    assert repairs.due([3, 4], TICK_US) == [answer, Repeat(3), Repeat(4)]
    assert repairs.due([3, 4], 2 * TICK_US) == [Repeat(3), Repeat(4)]
    assert repairs.due([3, 4], CALM_US) == []

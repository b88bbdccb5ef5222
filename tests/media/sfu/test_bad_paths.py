"""Stories of loss between the cores and browsers like Chromium: what is heard in time, how long pictures stand."""

import pytest

from tests.media.sfu.bad_path import Story
from tests.system.wire import Conditions

BEGIN_S, END_S = 4.0, 30.0
"""Reports must have told of the loss first."""


def story(conditions: Conditions, seed: int = 1) -> Story:
    return Story(conditions, seed).run(END_S)


def share_later_than(late_s: float, told: Story) -> float:
    waits = told.sound_late_s(BEGIN_S)
    return sum(wait > late_s for wait in waits) / len(waits)


def test_without_loss_nothing_is_asked_for_and_nothing_is_sent_twice() -> None:
    told = story(Conditions())
    assert told.asked == told.twin.resent == 0
    assert share_later_than(0.003, told) == 0
    assert told.longest_freeze_s(BEGIN_S) == pytest.approx(0.05)


@pytest.mark.parametrize("seed", [1, 11, 21])
@pytest.mark.parametrize(
    ("conditions", "freeze_s"),
    [(Conditions(loss=0.05), 0.45), (Conditions(loss=0.10), 0.6), (Conditions(loss=0.05, burst=5), 0.45)],
    ids=["loss5", "loss10", "burst5"],
)
def test_on_a_short_path_sound_is_there_within_a_usual_buffer_and_pictures_hardly_stand(
    conditions: Conditions, freeze_s: float, seed: int
) -> None:
    told = story(conditions, seed)
    assert share_later_than(0.06, told) < 0.02
    assert share_later_than(0.1, told) < 0.004
    assert told.longest_freeze_s(BEGIN_S) < freeze_s


def test_on_a_long_path_nothing_is_repeated_needlessly_and_nothing_is_lost_for_good() -> None:
    told = story(Conditions(loss=0.1, delay_ms=75))
    assert told.twin.probes + told.twin.late <= 0.03 * told.asked
    assert told.longest_freeze_s(BEGIN_S) < 1.2


def test_the_same_seed_tells_the_same_story() -> None:
    one, other = (Story(Conditions(loss=0.2), 5).run(3.0) for _ in range(2))
    assert (one.asked, one.seen["audio"].at_s, one.seen["video"].at_s) == (
        other.asked,
        other.seen["audio"].at_s,
        other.seen["video"].at_s,
    )

"""Beat knows names only, so somebody has to check that they are names of tasks."""

from config.celery import app as workers
from config.timetable import app as beat


def test_every_name_in_the_timetable_is_a_task() -> None:
    workers.loader.import_default_modules()
    names = {entry["task"] for entry in beat.conf.beat_schedule.values()}
    assert names - set(workers.tasks) == set()


def test_what_is_sent_again_soon_expires() -> None:
    for entry in beat.conf.beat_schedule.values():
        assert entry["options"]["expires"] <= 3 * entry["schedule"]


def test_beat_and_workers_meet_at_the_same_broker() -> None:
    assert beat.conf.broker_url == workers.conf.broker_url
    assert beat.conf.task_default_queue == workers.conf.task_default_queue

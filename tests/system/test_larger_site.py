"""The same code on PostgreSQL, Redis and RabbitMQ, by environment alone: up, ready, and two people talk."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.system.browser import Browser, Person
from tests.system.operated import Operated

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Operated]:
    """A Quorum that has none of its embedded servers."""
    if absent := servers.missing():
        word = f"not installed: {', '.join(absent)}"
        if os.environ.get("CI"):
            pytest.fail(word)
        pytest.skip(word)
    with servers.postgres() as database, servers.redis() as store, servers.rabbitmq() as broker:
        made = Operated(tmp_path, DATABASE_URL=database, REDIS_URL=store, CELERY_BROKER_URL=broker)
        try:
            made.until_ready()
            yield made
        finally:
            made.close()


def test_two_people_talk_on_the_servers_of_a_larger_site(site: Operated, browser: Browser) -> None:
    ann = Person(browser, "Ann").enter(site.url, "hello")
    bob = Person(browser, "Bob").enter(site.url, "hello")
    ann.sees(bob.id)
    bob.hears(ann.id)
    assert {name for name in site.processes().values() if name} >= {"web", "worker", "beat", "media-0"}
    assert "valkey" not in site.processes().values()
    assert not (site.folder / "quorum.sqlite3").exists()
    ann.calm()
    bob.calm()

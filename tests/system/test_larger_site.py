"""The same code on PostgreSQL, Redis and RabbitMQ, by environment alone: two people talk, and go on talking while one
of those servers dies and comes back. Where the machine has IPv6, the media goes over it.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.media.transport.test_ways import have_ipv6
from tests.system.browser import Browser, Person, until
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
    ways = {"QUORUM_MEDIA_ADDRESS": "::1"} if have_ipv6() else {}
    with servers.postgres() as database, servers.redis() as store, servers.rabbitmq() as broker:
        made = Operated(tmp_path, DATABASE_URL=database, REDIS_URL=store, CELERY_BROKER_URL=broker, **ways)
        try:
            made.until_ready()
            yield made
        finally:
            made.close()


def serving(program: str, address: str) -> list[int]:
    """The processes of a server that was told its port on the command line, the parent first."""
    port = address.rpartition(":")[2].partition("/")[0].encode()
    told, parents = set(), {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if words[0].split(b" ")[0].endswith(program.encode()) and any(port in word for word in words):
                told.add(int(folder.name))
    (parent,) = [process for process in told if parents[process] not in told]
    return [parent, *(process for process, above in parents.items() if above == parent)]


@contextlib.contextmanager
def dead(program: str, address: str, revived: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    """kill -9 of a server and everything below it; afterwards it is started again as it was."""
    processes = serving(program, address)
    parent = Path(f"/proc/{processes[0]}")
    command = [word.decode() for word in (parent / "cmdline").read_bytes().split(b"\0") if word]
    if program == "redis-server":  # it writes its title over its arguments
        port = address.rpartition(":")[2].partition("/")[0]
        command = ["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", ""]
    owner, folder = parent.stat(), (parent / "cwd").readlink()
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    os.waitpid(processes[0], 0)
    until(lambda: not any(_lives(process) for process in processes), f"{program} is gone")
    yield
    quiet = subprocess.DEVNULL
    who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.getuid() == 0 else {}
    revived.append(subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet, **who))  # type: ignore[call-overload]


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def revived() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Servers that a test started again; ended with it."""
    made: list[subprocess.Popen[bytes]] = []
    yield made
    for server in made:
        server.terminate()
        server.wait(20)


def test_two_people_talk_on_the_servers_of_a_larger_site_and_none_of_them_is_missed(
    site: Operated, browser: Browser, revived: list[subprocess.Popen[bytes]]
) -> None:
    ann = Person(browser, "Ann").enter(site.url, "hello")
    bob = Person(browser, "Bob").enter(site.url, "hello")
    ann.sees(bob.id)
    bob.hears(ann.id)
    assert {name for name in site.processes().values() if name} >= {"web", "worker", "beat", "media-0"}
    assert "valkey" not in site.processes().values()
    assert not (site.folder / "quorum.sqlite3").exists()
    epoch = ann.state()["epoch"]

    heard: list[str] = []
    for program, variable in (("postgres", "DATABASE_URL"), ("redis-server", "REDIS_URL")):
        text = f"said while {program} was dead"
        with dead(program, site.environ[variable], revived):
            ann.page.evaluate("text => window.quorum.engine.say(text)", text)
            for one, other in ((ann, bob), (bob, ann)):
                one.sees(other.id)
                one.hears(other.id)
        site.until_ready()
        heard.append(text)
        until(lambda: [m["text"] for m in bob.state()["chat"]] == heard, "Bob reads it, once")
    assert ann.state()["epoch"] == epoch, "the media never moved"
    assert [m["text"] for m in ann.state()["chat"]] == heard
    assert sorted(person["name"] for person in bob.state()["people"]) == ["Ann", "Bob"]
    ann.calm()
    bob.calm()

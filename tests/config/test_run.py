"""What `manage.py run` decides before anything starts."""

import signal
from pathlib import Path

import pytest

from config.environment import BadEnvironment, Environment
from config.processes import processes
from config.run import address_of, main, meant_by_host


def test_without_a_host_nothing_changes() -> None:
    assert meant_by_host("", {}) == {}


def test_a_host_means_https_and_advertised_media() -> None:
    meant = meant_by_host("192.0.2.7", {})
    assert meant["QUORUM_TLS"] == "true"
    assert meant["QUORUM_HTTP_ADDRESS"] == meant["QUORUM_MEDIA_ADDRESSES"] == meant["QUORUM_HOSTS"] == "192.0.2.7"


def test_what_was_given_stays() -> None:
    assert "QUORUM_TLS" not in meant_by_host("192.0.2.7", {"QUORUM_TLS": "false"})


def test_a_host_that_is_none_is_named() -> None:
    with pytest.raises(BadEnvironment, match=r"no\.such\.host\.invalid"):
        meant_by_host("no.such.host.invalid", {})


def test_the_address_is_what_one_types_into_a_browser() -> None:
    assert address_of(Environment()) == "http://127.0.0.1:8000"
    assert address_of(Environment(http_address="::1", tls=True)) == "https://[::1]:8000"


def test_valkey_is_ours_only_without_a_redis(tmp_path: Path) -> None:
    own = [child.name for child in processes(Environment(state_dir=tmp_path, media_workers=2, web_processes=2), 3)]
    theirs = [
        child.name
        for child in processes(Environment(redis_url="redis://store", state_dir=tmp_path, web_processes=1), 3)
    ]
    assert own == ["valkey", "web", "web-1", "media-0", "media-1", "worker", "beat"]
    assert theirs == ["web", "media-0", "worker", "beat"]


def test_media_workers_have_a_queue_and_a_slot_each(tmp_path: Path) -> None:
    media = [c for c in processes(Environment(state_dir=tmp_path, media_workers=2, node="a"), 3) if "media" in c.name]
    assert [child.environ["QUORUM_MEDIA_SLOT"] for child in media] == ["0", "1"]
    assert [child.argv[child.argv.index("-Q") + 1] for child in media] == ["media.a-0", "media.a-1"]
    assert all(child.stop is signal.SIGQUIT for child in media)


def test_a_bad_variable_ends_the_start_with_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_HTTP_PORT", "many")
    assert main([]) == 2
    assert "QUORUM_HTTP_PORT: expected a whole number" in capsys.readouterr().err

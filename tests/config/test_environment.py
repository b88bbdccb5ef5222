"""The environment becomes typed values, or an error that names the variable."""

import stat
from pathlib import Path

import pytest

from config.environment import BadEnvironment, Environment, parse, secret_key, valkey_socket
from config.management.commands.configuration import PATH, page


@pytest.mark.parametrize(
    ("variables", "name", "value"),
    [
        ({}, "http_port", 8000),
        ({}, "mode", "embedded"),
        ({"QUORUM_HTTP_PORT": "9000"}, "http_port", 9000),
        ({"QUORUM_HTTP_PORT": ""}, "http_port", 8000),
        ({"QUORUM_DEBUG": "true"}, "debug", True),
        ({"QUORUM_DEBUG": "No"}, "debug", False),
        ({"QUORUM_TLS": "1"}, "tls", True),
        ({"QUORUM_HOSTS": "meet.example, 192.0.2.1,"}, "hosts", ("meet.example", "192.0.2.1")),
        ({"QUORUM_MEDIA_ADDRESSES": "192.0.2.1"}, "media_addresses", ("192.0.2.1",)),
        ({"QUORUM_STATE_DIR": "/srv/quorum/"}, "state_dir", Path("/srv/quorum")),
        ({"REDIS_URL": "redis://store:6379/1"}, "redis_url", "redis://store:6379/1"),
        ({"SOMETHING_ELSE": "x"}, "debug", False),
    ],
)
def test_a_variable_becomes_a_value(variables: dict[str, str], name: str, value: object) -> None:
    assert getattr(parse(variables), name) == value


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"QUORUM_HTTP_PORT": "eighty"}, "QUORUM_HTTP_PORT: expected a whole number"),
        ({"QUORUM_HTTP_PORT": "-1"}, "QUORUM_HTTP_PORT: expected a whole number"),
        ({"QUORUM_DEBUG": "perhaps"}, "QUORUM_DEBUG: expected true or false"),
        ({"QUORUM_MODE": "test"}, "QUORUM_MODE: expected embedded or production"),
    ],
)
def test_what_cannot_be_understood_is_named(variables: dict[str, str], said: str) -> None:
    with pytest.raises(BadEnvironment, match=said):
        parse(variables)


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    env = Environment(state_dir=tmp_path / "state")
    made = secret_key(env)
    assert len(made) >= 50
    assert secret_key(env) == made
    assert stat.S_IMODE((env.state_dir / "secret-key").stat().st_mode) == 0o600


def test_production_makes_no_key_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(BadEnvironment, match="QUORUM_SECRET_KEY"):
        secret_key(Environment(mode="production", state_dir=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_state_folder_too_deep_for_a_socket_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadEnvironment, match="QUORUM_STATE_DIR"):
        valkey_socket(Environment(state_dir=tmp_path / ("deep" * 30)))


def test_the_page_about_configuration_is_current() -> None:
    assert PATH.read_text() == page()

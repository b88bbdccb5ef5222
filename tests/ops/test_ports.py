"""Ports that are free and ports that are not."""

import socket

import pytest

from ops.ports import PortTaken, listen, require_free


@pytest.fixture
def taken() -> int:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_taken_port_is_named_with_what_to_do(taken: int) -> None:
    with pytest.raises(PortTaken) as refused:
        listen("127.0.0.1", taken, "QUORUM_HTTP_PORT")
    assert f"TCP port {taken} on 127.0.0.1 is taken" in str(refused.value)
    assert f"QUORUM_HTTP_PORT={taken + 1}" in str(refused.value)


def test_a_udp_port_is_looked_at_too() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"UDP port {port}"):
            require_free("127.0.0.1", port, "QUORUM_MEDIA_PORT")


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(PortTaken, match=r"192\.0\.2\.1 cannot be opened"):
        listen("192.0.2.1", 0, "QUORUM_HTTP_PORT")


def test_a_free_port_listens() -> None:
    with listen("127.0.0.1", 0, "QUORUM_HTTP_PORT") as opened:
        socket.create_connection(opened.getsockname()).close()

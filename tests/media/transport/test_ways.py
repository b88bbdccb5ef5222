"""Ways of one connection over real sockets: IPv6, and from UDP to TCP and back."""

import asyncio
import socket

import pytest

from media.transport import stun
from media.transport.connection import Connection, Endpoint
from tests.media.transport.clients import endpoint, until


def have_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def check(of: Connection) -> bytes:
    """A nominating check with the right password."""
    attributes = ((stun.USERNAME, f"{of.local.ufrag}:x".encode()), (stun.USE_CANDIDATE, b""))
    return stun.build_message(stun.BINDING_REQUEST, bytes(12), attributes, key=of.local.password.encode())


def connect(at: Endpoint) -> Connection:
    return at.create_connection(
        on_ready=lambda: None, on_rtp=lambda *_: None, on_rtcp=lambda *_: None, on_closed=lambda: None
    )


async def answer_over_udp(
    family: socket.AddressFamily, to: tuple[str, int], data: bytes
) -> tuple[stun.Message, str, int]:
    """The answer to a datagram, and where it was sent from."""
    loop = asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.setblocking(False)
        udp.connect(to)
        await loop.sock_sendall(udp, data)
        answer = await asyncio.wait_for(loop.sock_recv(udp, 2048), 5)
        return stun.parse_message(answer), *udp.getsockname()[:2]


@pytest.mark.skipif(not have_ipv6(), reason="this machine has no IPv6")
async def test_over_ipv6_a_check_is_answered_with_the_address_it_came_from_and_the_candidate_names_ours() -> None:
    at = Endpoint("::1", 0)
    await at.start()
    try:
        one = connect(at)
        assert one.local.candidates[0].split()[4] == "::1"
        message, *source = await answer_over_udp(socket.AF_INET6, ("::1", at.port), check(one))
        assert stun.read_xor_address(message) == tuple(source)
        assert (one.figures().path, one.address[:2]) == ("udp", tuple(source))
        reader, writer = await asyncio.open_connection("::1", at.port)
        framed = check(one)
        writer.write(len(framed).to_bytes(2, "big") + framed)
        size = int.from_bytes(await asyncio.wait_for(reader.readexactly(2), 5), "big")
        answer = stun.parse_message(await asyncio.wait_for(reader.readexactly(size), 5))
        assert stun.read_xor_address(answer) == writer.get_extra_info("sockname")[:2]
        writer.close()
    finally:
        await at.close()


async def test_a_connection_goes_to_tcp_when_it_is_nominated_and_back_to_udp_when_tcp_ends() -> None:
    async with endpoint() as at:
        one = connect(at)
        _, *home = await answer_over_udp(socket.AF_INET, ("127.0.0.1", at.port), check(one))
        assert one.figures().path == "udp"
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        framed = check(one)
        writer.write(len(framed).to_bytes(2, "big") + framed)
        await asyncio.wait_for(reader.readexactly(2), 5)
        figures = one.figures()
        assert (figures.path, figures.paths, figures.migrations) == ("tcp", 2, 1)
        writer.close()
        await until(lambda: one.figures().path == "udp")
        assert one.address == tuple(home)
        assert one.figures().paths == 1

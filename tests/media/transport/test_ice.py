"""The demultiplexer: who owns a path, and what a stranger gets."""

import pytest

from media.transport import stun
from media.transport.ice import MOST_PATHS, Bucket, Demultiplexer, IceAgent

HOME, ELSEWHERE = ("192.0.2.1", 1000), ("2001:db8::2", 2000)
HELLO = bytes.fromhex("16feff0000000000000000") + b"\0\4aaaa"
ALERT = bytes.fromhex("15fefd00000000000000000002022f")


class Peer:
    """An agent of ours, and a client that knows its password."""

    def __init__(self, demultiplexer: Demultiplexer) -> None:
        self.demultiplexer = demultiplexer
        self.received: list[bytes] = []
        self.selected: list[object] = []
        self.authentic = True
        self.agent: IceAgent = demultiplexer.create_agent(self._receive, self.selected.append)

    def _receive(self, data: bytes, _now_us: int) -> bool:
        if self.authentic:
            self.received.append(data)
        return self.authentic

    def check(self, *extra: tuple[int, bytes], nominate: bool = True, password: bytes | None = None) -> bytes:
        attributes = [(stun.USERNAME, f"{self.agent.ufrag}:them".encode()), (stun.PRIORITY, bytes(4)), *extra]
        if nominate:
            attributes.append((stun.USE_CANDIDATE, b""))
        return stun.build_message(stun.BINDING_REQUEST, bytes(12), attributes, key=password or self.agent.key)

    def from_(self, address, data: bytes, now_us: int = 0):
        reply = self.demultiplexer.receive(data, address, address, now_us, datagram=True)
        return stun.parse_message(reply.data) if reply else None


@pytest.fixture
def peer() -> Peer:
    return Peer(Demultiplexer())


def error(message: stun.Message) -> int:
    value = message.attributes[stun.ERROR_CODE]
    return value[2] * 100 + value[3]


@pytest.mark.parametrize("address", [HOME, ELSEWHERE])
def test_a_good_check_binds_its_address_and_is_answered(peer, address):
    answer = peer.from_(address, peer.check(), 5)
    assert answer.kind == stun.BINDING_SUCCESS
    assert stun.read_xor_address(answer) == address
    assert peer.selected == [address] and peer.agent.checked_us == 5
    peer.from_(address, HELLO)
    assert peer.received == [HELLO]


def test_a_wrong_password_never_binds(peer):
    answer = peer.from_(HOME, peer.check(password=b"guess"))
    assert error(answer) == 401
    peer.from_(HOME, HELLO)
    assert peer.received == [] and peer.selected == [] and peer.demultiplexer.figures.stranger == 2


def test_a_broken_fingerprint_is_dropped(peer):
    check = bytearray(peer.check())
    check[-1] ^= 1
    assert peer.from_(HOME, bytes(check)) is None
    assert peer.selected == [] and peer.demultiplexer.figures.stranger == 1


@pytest.mark.parametrize(
    "data", [b"", b"\0", HELLO, ALERT, bytes((0x80, 96)) + bytes(60), bytes((0x80, 200)), b"x" * 99]
)
def test_a_strangers_packet_moves_no_counter_but_one(peer, data):
    peer.from_(ELSEWHERE, peer.check())
    before = peer.demultiplexer.figures.checks
    assert peer.from_(HOME, data) is None
    assert peer.received == [] and peer.selected == [ELSEWHERE]
    figures = peer.demultiplexer.figures
    assert (figures.stranger, figures.checks, figures.refused, figures.adopted) == (1, before, 0, 0)


def test_only_a_nomination_moves_the_selected_path(peer):
    peer.from_(HOME, peer.check())
    peer.from_(ELSEWHERE, peer.check(nominate=False))
    assert peer.agent.selected == HOME
    peer.from_(ELSEWHERE, peer.check())
    assert peer.agent.selected == ELSEWHERE and peer.agent.migrations == 1
    assert peer.selected == [HOME, ELSEWHERE]


def test_the_oldest_path_goes_but_never_the_selected_one(peer):
    peer.from_(HOME, peer.check())
    for port in range(MOST_PATHS + 3):
        peer.from_(("192.0.2.9", port), peer.check(nominate=False))
    assert len(peer.agent.paths) == len(peer.demultiplexer.by_key) == MOST_PATHS
    assert HOME in peer.agent.paths and ("192.0.2.9", MOST_PATHS + 2) in peer.agent.paths


def test_who_also_wants_to_be_controlled_is_told_so(peer):
    answer = peer.from_(HOME, peer.check((stun.ICE_CONTROLLED, bytes(8))))
    assert error(answer) == 487 and stun.MESSAGE_INTEGRITY in answer.attributes
    assert peer.selected == []


def test_an_attribute_that_must_be_understood_is_named(peer):
    answer = peer.from_(HOME, peer.check((0x7001, b"")))
    assert error(answer) == 420 and answer.attributes[stun.UNKNOWN_ATTRIBUTES] == b"\x70\x01"


def test_a_request_without_credentials_is_a_bad_one(peer):
    assert error(peer.from_(HOME, stun.build_message(stun.BINDING_REQUEST, bytes(12), ()))) == 400


def test_answers_to_strangers_are_few(peer):
    check = peer.check(password=b"guess")
    answers = [peer.from_(HOME, check) for _ in range(100)]
    assert sum(answer is not None for answer in answers) == 10
    assert peer.from_(ELSEWHERE, check) is not None
    assert peer.from_(HOME, check, 10_000_000) is not None
    assert peer.from_(HOME, peer.check()).kind == stun.BINDING_SUCCESS


def test_forged_sources_cannot_have_more_than_the_overall_share():
    bucket = Bucket(per_second=5, burst=10)
    assert sum(bucket.take(f"192.0.{source >> 8}.{source & 255}", 0) for source in range(20_000)) == 100
    assert bucket.take("192.0.2.1", 1_000_000)


def test_media_that_authenticates_takes_its_connection_along(peer):
    packet = bytes((0x80, 96)) + bytes(6) + b"ssrc" + bytes(20)
    peer.from_(HOME, peer.check())
    peer.demultiplexer.learn(peer.agent, b"ssrc")
    peer.authentic = False
    peer.from_(ELSEWHERE, packet)
    assert peer.agent.selected == HOME and peer.demultiplexer.figures.stranger == 1
    peer.authentic = True
    peer.from_(ELSEWHERE, packet)
    assert peer.agent.selected == ELSEWHERE and peer.demultiplexer.figures.adopted == 1
    assert peer.received == [packet]


def test_a_closed_agent_is_unknown(peer):
    check = peer.check()
    peer.from_(HOME, check)
    peer.demultiplexer.learn(peer.agent, b"ssrc")
    assert peer.demultiplexer.remove_agent(peer.agent) == (HOME,)
    assert peer.demultiplexer.remove_agent(peer.agent) == ()
    assert error(peer.from_(HOME, check)) == 401
    assert peer.demultiplexer.by_key == {}


def test_an_address_goes_over_to_the_connection_that_checks_it_last(peer):
    other = Peer(peer.demultiplexer)
    peer.from_(HOME, peer.check())
    other.from_(HOME, other.check())
    other.from_(HOME, HELLO)
    assert (peer.received, other.received) == ([], [HELLO])
    assert peer.selected == [HOME, None] and other.selected == [HOME]

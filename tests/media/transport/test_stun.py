"""STUN messages: the vectors of RFC 5769, another implementation, and what strangers write."""

import contextlib
import json
from pathlib import Path

import pytest
from aioice import stun as peer
from hypothesis import given
from hypothesis import strategies as st

from media.transport import stun
from tests.media.corpora import corpus, mutations

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "stun_rfc5769.json").read_text())
BY_NAME = {vector["name"]: vector for vector in VECTORS["messages"]}


def request(**attributes: bytes) -> stun.Message:
    data = stun.build_message(stun.BINDING_REQUEST, bytes(range(12)), ())
    return stun.parse_message(data)


@pytest.mark.parametrize("vector", VECTORS["messages"], ids=lambda vector: vector["name"])
def test_a_message_of_rfc_5769_holds_under_its_password_and_no_other(vector):
    data = bytes.fromhex(vector["hex"])
    message = stun.parse_message(data)
    assert message.kind == vector["kind"]
    assert stun.has_integrity(data, message, bytes.fromhex(vector["key"]))
    assert not stun.has_integrity(data, message, b"wrong")


def test_the_addresses_of_rfc_5769_are_read():
    for name, expected in (("response over IPv4", "192.0.2.1"), ("response over IPv6", None)):
        message = stun.parse_message(bytes.fromhex(BY_NAME[name]["hex"]))
        address, port = stun.read_xor_address(message)
        assert port == 32853
        assert address == (expected or "2001:db8:1234:5678:11:2233:4455:6677")


def test_the_request_of_rfc_5769_names_both_sides():
    message = stun.parse_message(bytes.fromhex(BY_NAME["request"]["hex"]))
    assert stun.read_username(message) == ("evtj", "h6vY")
    assert message.attributes[stun.PRIORITY] == bytes.fromhex("6e0001ff")
    assert stun.ICE_CONTROLLED in message.attributes
    assert message.not_understood == ()


@pytest.mark.parametrize("position", [0, 1, 3, 5, 30, -1])
def test_one_flipped_bit_breaks_the_fingerprint_or_the_header(position):
    data = bytearray.fromhex(BY_NAME["request"]["hex"])
    data[position] ^= 4
    with pytest.raises(stun.MalformedStun):
        stun.parse_message(bytes(data))


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        (("192.0.2.1", 32853), ("192.0.2.1", 32853)),
        (("2001:db8::1", 65535), ("2001:db8::1", 65535)),
        (("::ffff:192.0.2.7", 1), ("192.0.2.7", 1)),
        (("fe80::1%eth0", 9), ("fe80::1", 9)),
    ],
)
def test_a_success_tells_where_the_check_came_from(source, seen):
    data = stun.build_success(request(), source, b"secret")
    message = stun.parse_message(data)
    assert stun.has_integrity(data, message, b"secret")
    assert stun.read_xor_address(message) == seen
    theirs = peer.parse_message(data)
    assert theirs.check_message_integrity(b"secret")
    assert theirs.attributes["XOR-MAPPED-ADDRESS"] == seen


def test_an_error_is_smaller_than_twice_the_smallest_request():
    data = stun.build_error(request(), stun.BAD_REQUEST)
    assert len(data) < 40
    assert peer.parse_message(data).attributes["ERROR-CODE"] == (400, "")


def test_what_follows_the_integrity_does_not_count():
    data = stun.build_message(stun.BINDING_REQUEST, bytes(12), ((stun.USERNAME, b"a:b"),), key=b"k")[:-8]
    forged = data + bytes.fromhex("00250000")
    forged = forged[:2] + (len(forged) - 20).to_bytes(2, "big") + forged[4:]
    message = stun.parse_message(forged)
    assert stun.has_integrity(forged, message, b"k")
    assert stun.USE_CANDIDATE not in message.attributes


@given(
    st.binary(min_size=12, max_size=12),
    st.dictionaries(st.integers(0, 0x7FFF).filter(lambda kind: kind != 8), st.binary(max_size=40), max_size=6),
    st.binary(min_size=1, max_size=40),
)
def test_what_is_built_is_read_again(transaction, attributes, key):
    data = stun.build_message(stun.BINDING_REQUEST, transaction, attributes.items(), key=key)
    message = stun.parse_message(data)
    assert stun.has_integrity(data, message, key)
    assert {kind: message.attributes[kind] for kind in attributes} == attributes


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda rest: bytes.fromhex("000100282112a442") + rest))
def test_any_bytes_raise_nothing_but_malformed_stun(data):
    with contextlib.suppress(stun.MalformedStun):
        stun.read_username(stun.parse_message(data))


def test_the_vectors_are_those_of_the_corpus():
    ours = {bytes.fromhex(vector["hex"]) for vector in VECTORS["messages"]}
    assert ours == set(corpus("stun/rfc5769"))


def test_corpora_and_their_mutations_raise_nothing_but_malformed_stun():
    read = 0
    for data in mutations(corpus("stun"), each=60):
        try:
            message = stun.parse_message(data)
        except stun.MalformedStun:
            continue
        read += 1
        stun.read_username(message)
        stun.has_integrity(data, message, b"key")
        with contextlib.suppress(stun.MalformedStun):
            stun.read_xor_address(message)
    assert read

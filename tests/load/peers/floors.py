"""What one forwarded packet cannot cost less than here: one send through the kernel, one pass of the cipher."""

import socket
import statistics
import time
from collections.abc import Callable

from pylibsrtp import Policy, Session

from tests.load.peers.client import PROFILE

SENT_BYTES = 1228
"""A packet of 1,200 bytes with 12 of header and a tag of 16."""
PROTECTED_BYTES = 1200
ROUNDS = 60
EACH = 50
"""Calls in a round; as many datagrams fit into an ordinary receive buffer."""


def floors_us(address: str = "127.0.0.1") -> dict[str, float]:
    """`send` and `cipher`, in µs: medians of ROUNDS."""
    return {"send": _send_us(address), "cipher": _cipher_us()}


def _send_us(address: str) -> float:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to,
    ):
        to.bind((address, 0))
        to.setblocking(False)
        target, payload = to.getsockname(), bytes(SENT_BYTES)

        def drain() -> None:
            for _ in range(EACH):
                to.recv(2048)

        return _median_us(lambda: here.sendto(payload, target), drain)


def _cipher_us() -> float:
    policy = Policy(
        bytes(PROFILE.key_length + PROFILE.salt_length), Policy.SSRC_ANY_OUTBOUND, 0, PROFILE.libsrtp_profile
    )
    policy.allow_repeat_tx = True
    session = Session(policy)
    packet = bytes((0x80, 96, *bytes(PROTECTED_BYTES - 2)))
    return _median_us(lambda: session.protect(packet), lambda: None)


def _median_us(act: Callable[[], object], between: Callable[[], object]) -> float:
    found = []
    for _ in range(ROUNDS):
        begun = time.perf_counter_ns()
        for _ in range(EACH):
            act()
        found.append((time.perf_counter_ns() - begun) / 1000 / EACH)
        between()
    return round(statistics.median(found), 3)

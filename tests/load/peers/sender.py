"""A process that sends every publisher's packets, evenly or in bursts, until told otherwise.

Standard input: one line of `Orders` in JSON, then words: `go <packets a burst>`, `stop` (answered by a line of
`Heard`), end of file. Publishers take turns, so that their packets are spread in time; a keyframe comes first, every
two seconds, and at once when the server asks (PLI, FIR).
"""

import contextlib
import heapq
import select
import socket
import sys
import time

import msgspec
from pylibsrtp import Error as SrtpError

from tests.load.peers.client import Keys, receive_session, transmit_session
from tests.load.peers.counters import Counters
from tests.load.peers.packets import PacketWriter, Stream
from tests.load.peers.shapes import burst_interval_s

LISTEN_EVERY_S = 0.01


class Publisher(msgspec.Struct, frozen=True):
    """One of them: a socket that this process inherited, and what to send where."""

    fd: int
    remote: tuple[str, int]
    transmit_key: bytes
    receive_key: bytes
    ssrc: int
    payload_type: int
    mid: str
    mid_id: int
    transport_cc_id: int


class Orders(msgspec.Struct, frozen=True):
    """Everybody who sends, and where to count it: a counter for each publisher."""

    publishers: list[Publisher]
    counters_fd: int


class Heard(msgspec.Struct):
    """What the server asked for since the last `stop`."""

    keyframes: int = 0
    nacks: int = 0
    failed: int = 0
    late_ms: float = 0.0
    """How late the latest packet left."""


class _Sending:
    """One publisher at work."""

    def __init__(self, place: int, publisher: Publisher) -> None:
        self.place = place
        self.socket = socket.socket(fileno=publisher.fd)
        self.socket.setblocking(False)
        keys = Keys(publisher.transmit_key, publisher.receive_key)
        self.remote = publisher.remote
        self._out, self._in = transmit_session(keys), receive_session(keys)
        self.protect = self._out.protect
        stream = Stream(
            publisher.ssrc, publisher.payload_type, publisher.mid, publisher.mid_id, publisher.transport_cc_id
        )
        self.writer = PacketWriter(place, stream)

    def hear(self, heard: Heard) -> None:
        """Read what came: feedback is heeded or counted, the rest dropped."""
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = self.socket.recv(2048)
                if 128 <= packet[0] < 192 and 192 <= packet[1] <= 223:
                    with contextlib.suppress(SrtpError):
                        self._heed(self._in.unprotect_rtcp(packet), heard)

    def _heed(self, compound: bytes, heard: Heard) -> None:
        at = 0
        while at + 4 <= len(compound):
            kind, form = compound[at + 1], compound[at] & 31
            if kind == 206 and form in (1, 4):  # RFC 4585 §6.3.1, RFC 5104 §4.3.1
                heard.keyframes += 1
                self.writer.want_keyframe()
            elif kind == 205 and form == 1:
                heard.nacks += 1
            at += 4 + 4 * int.from_bytes(compound[at + 2 : at + 4], "big")


def main() -> None:
    """See above."""
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)
    sending = [_Sending(place, publisher) for place, publisher in enumerate(orders.publishers)]
    poller = select.poll()
    poller.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
    with Counters(len(sending), orders.counters_fd) as counters:
        while words := sys.stdin.buffer.readline().split():
            heard = Heard()
            for one in sending:
                one.hear(heard)
                one.writer.want_keyframe()
            _send(sending, int(words[1]), counters, poller, heard)
            sys.stdin.buffer.readline()
            for one in sending:
                one.hear(heard)
            sys.stdout.buffer.write(msgspec.json.encode(heard) + b"\n")
            sys.stdout.buffer.flush()


def _send(sending: list[_Sending], burst: int, counters: Counters, poller: select.poll, heard: Heard) -> None:
    """Until a word comes."""
    interval = burst_interval_s(burst)
    start = time.monotonic() + 0.01
    due = [(start + interval * one.place / len(sending), one.place) for one in sending]
    heapq.heapify(due)
    listened = start
    counts = counters.values
    while True:
        at, place = due[0]
        now = time.monotonic()
        if now < at:
            time.sleep(at - now)
            now = time.monotonic()
        heard.late_ms = max(heard.late_ms, round((now - at) * 1000, 2))
        heapq.heapreplace(due, (at + interval, place))
        heard.failed += _burst(sending[place], burst)
        counts[place] = sending[place].writer.number
        if now - listened > LISTEN_EVERY_S:
            listened = now
            for one in sending:
                one.hear(heard)
            if poller.poll(0):
                return


def _burst(one: _Sending, packets: int) -> int:
    """Send as many back to back; how many could not be sent."""
    failed = 0
    for _ in range(packets):
        packet = one.protect(one.writer.write(time.time_ns()))
        try:
            one.socket.sendto(packet, one.remote)
        except OSError:
            failed += 1
    return failed


if __name__ == "__main__":
    main()

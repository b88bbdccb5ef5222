"""A process that takes in what viewers are sent: counts it all, opens a sample of it, and reports reception.

Standard input: one line of `Orders` in JSON, then words: `sample` (answered by a line of `Sample`), end of file.
Packets are counted by their headers alone, but for one viewer, whose packets are decrypted and looked into. Each
viewer says once a second what it received, as browsers do (RFC 3550 §6.4.2); that costs a server something too.
"""

import contextlib
import select
import socket
import struct
import sys
import time

import msgspec
from pylibsrtp import Error as SrtpError

from media.rtp.rtcp import ReportBlock
from media.rtp.rtcp_build import receiver_report
from tests.load.peers.client import Keys, receive_session, transmit_session
from tests.load.peers.counters import Counters
from tests.load.peers.packets import read_stamp

DRAIN_EVERY_S = 0.002
"""Packets are taken in heaps: a wake for each would cost more than the packet."""
REPORT_EVERY_S = 1.0
RECEIVE_BUFFER_BYTES = 4 << 20
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
"""socket(7), Linux: the kernel's arrival time (ns since 1970) comes with each packet."""
SO_MEMINFO = 55
_DROPS = 8
"""Place of the dropped packets in SO_MEMINFO."""


class Viewer(msgspec.Struct, frozen=True):
    """One of them: a socket that this process inherited; the payload types and SSRCs that media comes under."""

    fd: int
    remote: tuple[str, int]
    transmit_key: bytes
    receive_key: bytes
    payload_types: list[int]
    ssrcs: list[int]


class Orders(msgspec.Struct, frozen=True):
    """Everybody who receives; the first is the sample. A counter for each of them, and one for drops,
    which is brought up to date with each `sample`."""

    viewers: list[Viewer]
    counters_fd: int


class Sample(msgspec.Struct):
    """What the sampled viewer saw since the last asking."""

    opened: int = 0
    """Packets that decrypted, under an SSRC that was negotiated, with every byte as it was sent."""
    wrong: int = 0
    gaps: int = 0
    """Packets missing between others of the same publisher."""
    delays_ms: list[float] = []
    """From the publisher's stamp to the kernel's arrival time."""


class _Receiving:
    """One viewer at work."""

    def __init__(self, viewer: Viewer) -> None:
        self.socket = socket.socket(fileno=viewer.fd)
        self.socket.setblocking(False)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
        except PermissionError:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self.keys = Keys(viewer.transmit_key, viewer.receive_key)
        self.remote = viewer.remote
        self.media = frozenset(viewer.payload_types)
        self.ssrcs = frozenset(viewer.ssrcs)
        self.count = 0
        self.highest: dict[int, int] = {}
        self.first: dict[int, int] = {}
        self.packets: dict[int, int] = {}
        self._out = transmit_session(self.keys)

    def note(self, head: bytes | memoryview) -> bool:
        """Count one packet by its header; whether it is media."""
        first, second, sequence, _, ssrc = _HEADER.unpack_from(head)
        if first >> 6 != 2 or second & 127 not in self.media:
            return False
        self.count += 1
        highest = self.highest.get(ssrc)
        if highest is None:
            self.highest[ssrc] = self.first[ssrc] = sequence
            self.packets[ssrc] = 1
            return True
        ahead = (sequence - highest + 0x8000 & 0xFFFF) - 0x8000
        if ahead > 0:
            self.highest[ssrc] = highest + ahead
        self.packets[ssrc] += 1
        return True

    def report(self) -> None:
        """Say what was received so far."""
        blocks = [
            ReportBlock(
                ssrc=ssrc,
                fraction_lost=0,
                packets_lost=max(0, highest - self.first[ssrc] + 1 - self.packets[ssrc]),
                highest_sequence=highest & 0xFFFFFFFF,
                jitter=0,
                last_sender_report=0,
                delay_since=0,
            )
            for ssrc, highest in self.highest.items()
        ]
        with contextlib.suppress(OSError):
            self.socket.sendto(self._out.protect_rtcp(receiver_report(1, blocks[:31])), self.remote)


_HEADER = struct.Struct("!BBHII")


class _Sampling:
    """Opens every packet of one viewer."""

    def __init__(self, of: _Receiving) -> None:
        self._of = of
        of.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._unprotect = receive_session(of.keys).unprotect
        self._numbers: dict[int, int] = {}
        self.sample = Sample()

    def drain(self) -> None:
        """Until nothing is left."""
        with contextlib.suppress(BlockingIOError):
            while True:
                packet, ancillary, _, _ = self._of.socket.recvmsg(2048, 64)
                if len(packet) >= 12 and self._of.note(packet):
                    self._open(packet, ancillary)

    def _open(self, packet: bytes, ancillary: list[tuple[int, int, bytes]]) -> None:
        sample = self.sample
        try:
            ssrc, stamp, whole = read_stamp(self._unprotect(packet))
        except (SrtpError, struct.error):
            sample.wrong += 1
            return
        if not whole or ssrc not in self._of.ssrcs:
            sample.wrong += 1
            return
        sample.opened += 1
        expected = self._numbers.get(stamp.publisher, stamp.number)
        sample.gaps += max(0, stamp.number - expected)
        self._numbers[stamp.publisher] = max(expected, stamp.number + 1)
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("qq", value)
                arrived = seconds * 1_000_000_000 + nanoseconds
                sample.delays_ms.append(round((arrived - stamp.sent_ns) / 1e6, 4))


def main() -> None:
    """See above."""
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)
    receiving = [_Receiving(viewer) for viewer in orders.viewers]
    sampling = _Sampling(receiving[0])
    by_fd = {one.socket.fileno(): (place, one) for place, one in enumerate(receiving)}
    words = sys.stdin.fileno()
    epoll = select.epoll()
    for fd in (*by_fd, words):
        epoll.register(fd, select.EPOLLIN)
    head = memoryview(bytearray(16))
    reported, turn = time.monotonic(), 0
    with Counters(len(receiving) + 1, orders.counters_fd) as counters:
        while True:
            for fd, _ in epoll.poll(0.02):
                if fd == words:
                    if not sys.stdin.buffer.readline():
                        return
                    sampling.drain()
                    counters.values[len(receiving)] = sum(map(_dropped, receiving))
                    sys.stdout.buffer.write(msgspec.json.encode(sampling.sample) + b"\n")
                    sys.stdout.buffer.flush()
                    sampling.sample = Sample()
                    continue
                place, one = by_fd[fd]
                if place == 0:
                    sampling.drain()
                else:
                    _drain(one, head)
                counters.values[place] = one.count
            # Spread: one viewer at a time, each once a second.
            now = time.monotonic()
            while now - reported > REPORT_EVERY_S / len(receiving):
                reported += REPORT_EVERY_S / len(receiving)
                receiving[turn].report()
                turn = (turn + 1) % len(receiving)
            time.sleep(DRAIN_EVERY_S)


def _drain(one: _Receiving, head: memoryview) -> None:
    receive, note = one.socket.recv_into, one.note
    with contextlib.suppress(BlockingIOError):
        while True:
            if receive(head) >= 12:
                note(head)


def _dropped(one: _Receiving) -> int:
    try:
        info = one.socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36)
    except OSError:
        return 0
    return int(struct.unpack_from("I", info, 4 * _DROPS)[0])


if __name__ == "__main__":
    main()

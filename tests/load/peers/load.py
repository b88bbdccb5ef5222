"""A crowd at a server: its connections, the two processes that send and receive for it, and the runs."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from tests.load.peers import receiver, sender
from tests.load.peers.client import Link, close_all, keep_alive
from tests.load.peers.counters import Counters
from tests.load.peers.processes import cpu_ns
from tests.load.peers.server import Publishing, Server, Viewing
from tests.load.peers.shapes import BURSTS, Crowd, Run

QUIET_S = 0.25
"""A run is over when nothing has come for this long."""
SETTLE_S = 3.0
"""And no later than this after the last packet was sent."""
LEAD_S = 0.5
"""Sent before the measured window opens, so that both processes are in their stride."""


class Load:
    """Everybody connected, ready to run. Use `gather_crowd`, and `close`."""

    def __init__(self, server: Server, crowd: Crowd, publishing: Sequence[Publishing], viewing: Sequence[Viewing]):
        self.server, self.crowd = server, crowd
        self._links: list[Link] = [*(one.link for one in publishing), *(one.link for one in viewing)]
        self._sent = Counters(len(publishing))
        self._received = Counters(len(viewing) + 1)
        self._sender = _start("tests.load.peers.sender", _sender_orders(publishing, self._sent.fd))
        self._receiver = _start("tests.load.peers.receiver", _receiver_orders(viewing, self._received.fd))
        self._alive = asyncio.create_task(keep_alive(self._links))

    async def run(self, pace: str, seconds: float, lead_s: float = LEAD_S) -> tuple[Run, receiver.Sample, sender.Heard]:
        """Send for a while and measure; what came of it, what the sampled viewer saw, what publishers were asked."""
        sent_before, received_before, dropped_before = self._sent.total(), self._all_received(), self._dropped()
        _tell(self._sender, f"go {BURSTS[pace]}")
        await asyncio.sleep(lead_s)
        cpu, forwarded, begun = cpu_ns(self.server.pid), self._all_received(), time.monotonic()
        await asyncio.sleep(seconds)
        cpu, forwarded, wall = (
            cpu_ns(self.server.pid) - cpu,
            self._all_received() - forwarded,
            time.monotonic() - begun,
        )
        heard = msgspec.json.decode(await _ask(self._sender, "stop"), type=sender.Heard)
        await self._quiet()
        sample = msgspec.json.decode(await _ask(self._receiver, "sample"), type=receiver.Sample)
        run = Run(
            cpu_ns=cpu,
            forwarded=forwarded,
            wall_s=wall,
            sent=self._sent.total() - sent_before,
            received=self._all_received() - received_before,
            fan=self.crowd.fan,
            dropped=self._dropped() - dropped_before,
        )
        return run, sample, heard

    async def close(self) -> None:
        """End both processes and let the sockets go; the server is left alone."""
        self._alive.cancel()
        for process in (self._sender, self._receiver):
            assert process.stdin is not None
            process.stdin.close()
            try:
                await asyncio.to_thread(process.wait, 5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdout is not None
            process.stdout.close()
        close_all(self._links)
        for counters in (self._sent, self._received):
            counters.__exit__()

    def _all_received(self) -> int:
        return sum(self._received.values[:-1])

    def _dropped(self) -> int:
        return self._received.values[-1]

    async def _quiet(self) -> None:
        deadline = time.monotonic() + SETTLE_S
        last, since = self._all_received(), time.monotonic()
        while time.monotonic() < min(deadline, since + QUIET_S):
            await asyncio.sleep(0.02)
            if (count := self._all_received()) != last:
                last, since = count, time.monotonic()


async def gather_crowd(server: Server, crowd: Crowd) -> Load:
    """Connect everybody: the publishers, then the viewers, each seeing as many as the crowd says."""
    publishing = [await server.publish(person) for person in range(crowd.publishers)]
    first_viewer = 0 if crowd.publishers > 1 else crowd.publishers
    viewing = [await server.view(first_viewer + place, count) for place, count in enumerate(crowd.viewers)]
    await server.settled()
    return Load(server, crowd, publishing, viewing)


def _start(module: str, orders: tuple[msgspec.Struct, list[int]]) -> "subprocess.Popen[bytes]":
    written, fds = orders
    process = subprocess.Popen(
        [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=fds
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(written) + b"\n")
    process.stdin.flush()
    return process


def _tell(process: "subprocess.Popen[bytes]", word: str) -> None:
    assert process.stdin is not None
    process.stdin.write(word.encode() + b"\n")
    process.stdin.flush()


async def _ask(process: "subprocess.Popen[bytes]", word: str) -> bytes:
    _tell(process, word)
    assert process.stdout is not None
    answer: Any = await asyncio.to_thread(process.stdout.readline)
    if not answer:
        raise EOFError(f"{process.args!r} ended")
    return bytes(answer)


def _sender_orders(publishing: Sequence[Publishing], counters_fd: int) -> tuple[sender.Orders, list[int]]:
    orders = sender.Orders(
        [
            sender.Publisher(
                fd=one.link.socket.fileno(),
                remote=one.link.remote,
                transmit_key=one.link.keys.transmit,
                receive_key=one.link.keys.receive,
                ssrc=one.ssrc,
                payload_type=one.payload_type,
                mid=one.mid,
                mid_id=one.mid_id,
                transport_cc_id=one.transport_cc_id,
            )
            for one in publishing
        ],
        counters_fd,
    )
    return orders, [*(one.fd for one in orders.publishers), counters_fd]


def _receiver_orders(viewing: Sequence[Viewing], counters_fd: int) -> tuple[receiver.Orders, list[int]]:
    orders = receiver.Orders(
        [
            receiver.Viewer(
                fd=one.link.socket.fileno(),
                remote=one.link.remote,
                transmit_key=one.link.keys.transmit,
                receive_key=one.link.keys.receive,
                payload_types=list(one.payload_types),
                ssrcs=list(one.ssrcs),
            )
            for one in viewing
        ],
        counters_fd,
    )
    return orders, [*(one.fd for one in orders.viewers), counters_fd]

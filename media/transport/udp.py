"""The UDP socket that all browsers share: a thin shell that reads in batches and reads the clock once for each."""

import asyncio
import socket
import time
from collections.abc import Callable

BATCH = 64
"""Datagrams read in one wake: bounds how long the loop is held, and one clock reading serves them all."""
BUFFER_BYTES = 4 << 20
"""Chromium paces in bursts of up to 40 ms; the kernel grants less where net.core.rmem_max says so."""
MOST_BYTES = 2048
GATHER_S = 0.002
"""A busy relay lets this long pass before it reads: some packets at one wake cost a tenth less than one at each, for
the caches are warm after the first. What a packet waits (0 to 2 ms) no jitter buffer notices."""
BUSY_PER_S = 600
"""Datagrams a second from which on it gathers; a small meeting is never made to wait."""
COUNTED_OVER_US = 100_000


def open_udp(address: str, port: int) -> socket.socket:
    """A bound, non-blocking UDP socket; `::` takes IPv4 too. Raises OSError where the port is taken."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    udp = socket.socket(family, socket.SOCK_DGRAM)
    try:
        udp.setblocking(False)
        if family == socket.AF_INET6:
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            udp.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        udp.bind((address, port))
    except OSError:
        udp.close()
        raise
    return udp


class UdpReader:
    """Hands every datagram to `receive(data, address, now_us)`, until closed."""

    def __init__(self, udp: socket.socket, receive: Callable[[bytes, tuple[str, int], int], None]) -> None:
        self._udp, self._receive = udp, receive
        self._loop = asyncio.get_running_loop()
        self._busy = False
        self._counted = 0
        self._counted_since_us = 0
        self._loop.add_reader(udp.fileno(), self._readable)

    def _readable(self) -> None:
        if self._busy:
            time.sleep(GATHER_S)
        receive, read = self._receive, self._udp.recvfrom
        now_us = time.monotonic_ns() // 1000
        counted_us = now_us - self._counted_since_us
        if counted_us > COUNTED_OVER_US:
            self._busy = self._counted * 1_000_000 > BUSY_PER_S * counted_us
            self._counted, self._counted_since_us = 0, now_us
        for _ in range(BATCH):
            try:
                data, address = read(MOST_BYTES)
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # an ICMP error about something that we sent earlier
            self._counted += 1
            receive(data, address, now_us)

    def close(self) -> None:
        """Stop reading and close the socket."""
        self._loop.remove_reader(self._udp.fileno())
        self._udp.close()

"""A bad network between browsers and relays: a proxy that loses, delays, narrows, cuts and rebinds, by a seed.

Relays listen on 127.0.0.1 and tell browsers FAR (`QUORUM_MEDIA_ADDRESSES`), where the proxy listens on the same ports.
Every browser's address has a socket of its own towards the relay, as behind a NAT. UDP suffers what `Conditions` say,
in each direction apart; TCP is passed on as it comes. What is lost and how late the rest is depends on the seed and
the order of the packets, never on chance. Delays vary as in a queue: packets stay in order.
"""

import asyncio
import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

NEAR = "127.0.0.1"
FAR = "127.0.0.2"
_BUFFER_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a network does to packets, in each direction alike."""

    loss: float = 0.0
    """Share of packets, 0 to 1."""
    burst: int = 1
    """So many are lost in a row; the share stays what it is."""
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    """The delay is between `delay_ms` minus and plus this."""
    rate_kbps: float = 0.0
    """0: as fast as it comes."""
    queue_ms: float = 300.0
    """At `rate_kbps`: who would wait longer is dropped."""


class Lane:
    """One direction. It is told the time and says when a packet arrives: the same packets meet the same fate."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._to_lose = 0
        self._free_at_s = 0.0
        self._last_s = 0.0
        self.carried = self.lost = 0

    def arrival_s(self, conditions: Conditions, size_bytes: int, now_s: float) -> float | None:
        """When it arrives, or None where it never does."""
        begins = self._random.random() < conditions.loss / (conditions.burst * (1 - conditions.loss) + conditions.loss)
        sway = self._random.uniform(-1, 1)
        if self._to_lose == 0 and begins:
            self._to_lose = conditions.burst
        if self._to_lose > 0:
            self._to_lose -= 1
            self.lost += 1
            return None
        at = now_s
        if conditions.rate_kbps:
            begun_s = max(now_s, self._free_at_s)
            if begun_s - now_s > conditions.queue_ms / 1000:
                self.lost += 1
                return None
            at = self._free_at_s = begun_s + size_bytes * 8 / (conditions.rate_kbps * 1000)
        at += max(0.0, conditions.delay_ms + sway * conditions.jitter_ms) / 1000
        self._last_s = max(self._last_s, at)
        self.carried += 1
        return self._last_s


@dataclass(eq=False, slots=True)
class _Browser:
    """One address of a browser, and the socket that stands for it at the relay."""

    door: socket.socket
    address: tuple[str, int]
    port: int
    upstream: socket.socket


class Wire:
    """The proxy, running from `with` to its end. `conditions` and `udp_open` may be changed while it runs."""

    def __init__(self, ports: Sequence[int], conditions: Conditions | None = None, seed: int = 1) -> None:
        self.conditions = conditions or Conditions()
        self.udp_open = True
        self.up, self.down = Lane(seed), Lane(seed + 1)
        self.tcp_bytes = 0
        self._ports = tuple(ports)
        self._cut_until_s = 0.0
        self._browsers: dict[tuple[int, tuple[str, int]], _Browser] = {}
        self._loop = asyncio.new_event_loop()
        self._streams: set[asyncio.Task[None]] = set()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)

    def __enter__(self) -> Self:
        self._doors = [_socket(FAR, port) for port in self._ports]
        self._thread.start()
        assert self._up.wait(5), "the wire is not up"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def cut(self, seconds: float) -> None:
        """Nothing passes for so long; then everything does again, TCP with what it held back."""
        self._cut_until_s = time.monotonic() + seconds

    def healed(self) -> bool:
        """Whether the last cut is over."""
        return time.monotonic() >= self._cut_until_s

    def rebind(self) -> None:
        """Every browser shows itself to the relay from another port, as after a NAT forgot it."""
        done = threading.Event()

        def act() -> None:
            for browser in self._browsers.values():
                self._close(browser.upstream)
                browser.upstream = self._upstream(browser)
            done.set()

        self._loop.call_soon_threadsafe(act)
        assert done.wait(5), "the wire does not answer"

    # --- its own thread -----------------------------------------------------------------------------------------------
    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        for door, port in zip(self._doors, self._ports, strict=True):
            self._loop.add_reader(door, self._hear_browsers, door, port)
        servers = [self._loop.run_until_complete(self._serve_tcp(port)) for port in self._ports]
        self._up.set()
        self._loop.run_forever()
        for server in servers:
            server.close()
        for task in self._streams:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._streams, return_exceptions=True))
        for held in [*self._doors, *(browser.upstream for browser in self._browsers.values())]:
            self._close(held)
        self._loop.close()

    def _close(self, held: socket.socket) -> None:
        self._loop.remove_reader(held)
        held.close()

    def _upstream(self, browser: _Browser) -> socket.socket:
        made = _socket(NEAR, 0)
        made.connect((NEAR, browser.port))
        self._loop.add_reader(made, self._hear_relay, browser, made)
        return made

    def _hear_browsers(self, door: socket.socket, port: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                packet, address = door.recvfrom(2048)
                browser = self._browsers.get((port, address))
                if browser is None:
                    browser = _Browser(door, address, port, door)
                    browser.upstream = self._upstream(browser)
                    self._browsers[port, address] = browser
                self._carry(self.up, len(packet), partial(_upwards, browser, packet))

    def _hear_relay(self, browser: _Browser, upstream: socket.socket) -> None:
        # A relay that is gone is told of by ECONNREFUSED; browsers are told by silence.
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            while True:
                packet = upstream.recv(2048)
                self._carry(self.down, len(packet), partial(browser.door.sendto, packet, browser.address))

    def _carry(self, lane: Lane, size_bytes: int, deliver: Callable[[], object]) -> None:
        now_s = time.monotonic()
        if not self.udp_open or now_s < self._cut_until_s:
            return
        at = lane.arrival_s(self.conditions, size_bytes, now_s)
        if at is None:
            return
        if at <= now_s:
            _try(deliver)
        else:
            self._loop.call_later(at - now_s, _try, deliver)

    async def _serve_tcp(self, port: int) -> asyncio.Server:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._streams.add(task)
            task.add_done_callback(self._streams.discard)
            with contextlib.suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection(NEAR, port)
                try:
                    await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
                finally:
                    far_writer.close()
            writer.close()

        return await asyncio.start_server(serve, FAR, port)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            await asyncio.sleep(max(0.0, self._cut_until_s - time.monotonic()))
            self.tcp_bytes += len(chunk)
            writer.write(chunk)
            await writer.drain()
        writer.close()


def _socket(address: str, port: int) -> socket.socket:
    made = socket.socket(type=socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    made.setblocking(False)
    made.bind((address, port))
    return made


def _upwards(browser: _Browser, packet: bytes) -> None:
    browser.upstream.send(packet)


def _try(deliver: Callable[[], object]) -> None:
    """A socket that was closed meanwhile, or whose other end is gone, loses the packet."""
    with contextlib.suppress(OSError):
        deliver()

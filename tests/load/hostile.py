"""A stranger floods the media port of a call: what it costs the relay, and what the call notices.

RATE datagrams a second from SOURCES ports, of every kind that a media port takes: STUN checks of unknown users, DTLS,
RTP, RTCP, TURN channels and noise. Two bots are in a call meanwhile; the gap is the longest time between two packets of
sound (20 ms apart when sent) that one of them got.
"""

import asyncio
import contextlib
import random
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE
from typing import Any

from aioice import stun

from tests.load.peers.processes import cpu_ns
from tests.system.bots import Bot
from tests.system.carriers import Carriers
from tests.system.operated import Operated

RATE = 10_000
SOURCES = 16
MEASURE_S = 10.0
TICK_S = 0.001
SHOWN_S = 2.0


async def measure(site: Operated, carriers: Carriers, seconds: float = MEASURE_S) -> dict[str, Any]:
    """`gap_ms` and `core_percent` (of one core, on top of what the call takes), with and without the flood."""
    address = f"127.0.0.1:{site.port}"
    one, other = [await Bot.enter(address, "hello", name) for name in ("One", "Other")]
    try:
        await one.send()
        await other.receive(1)
        await other.first_packet
        carrier = (await asyncio.to_thread(carriers.settled, 1)).pid
        calm_ms, calm_percent = await _watch(other, carrier, seconds)
        met = await asyncio.to_thread(_strangers, site)
        flood = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.load.hostile", site.environ["QUORUM_MEDIA_PORT"], stdout=PIPE
        )
        try:
            assert flood.stdout is not None
            await flood.stdout.readline()
            gap_ms, percent = await _watch(other, carrier, seconds)
        finally:
            flood.terminate()
            said, _ = await flood.communicate()
        return {
            "gap_ms": round(gap_ms, 1),
            "core_percent": round(percent - calm_percent, 1),
            "calm": {"gap_ms": round(calm_ms, 1), "core_percent": round(calm_percent, 1)},
            "sent": int(said.splitlines()[-1]),
            "strangers": await asyncio.to_thread(_strangers, site) - met,
        }
    finally:
        await one.close()
        await other.close()


async def _watch(listener: Bot, carrier: int, seconds: float) -> tuple[float, float]:
    listener.forget_gaps()
    spent_ns, begun = cpu_ns(carrier), time.monotonic()
    await asyncio.sleep(seconds)
    took_s = time.monotonic() - begun
    return listener.longest_gap_s * 1000, (cpu_ns(carrier) - spent_ns) / took_s / 1e7


def _strangers(site: Operated) -> int:
    """Datagrams that the relay has counted as such; its figures are shown each few seconds."""
    time.sleep(SHOWN_S)
    lines = site.fetch("/metrics").splitlines()
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in lines if 'what="strangers"' in line))


def datagrams(seed: int = 1, count: int = 1000) -> list[bytes]:
    """Of every kind, by the first byte (RFC 7983), with a seed."""
    chance = random.Random(seed)
    found = []
    for n in range(count):
        noise = chance.randbytes(chance.choice((20, 100, 400, 1200)))
        match n % 6:
            case 0:
                request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
                request.attributes["USERNAME"] = f"{chance.randbytes(4).hex()}:{chance.randbytes(4).hex()}"
                request.add_message_integrity(chance.randbytes(16))
                request.add_fingerprint()
                found.append(bytes(request))
            case 1:
                found.append(bytes((22, 254, 253)) + noise)
            case 2:
                found.append(bytes((0x90, 96)) + noise)
            case 3:
                found.append(bytes((0x81, 200)) + noise)
            case 4:
                found.append(bytes((64,)) + noise)
            case _:
                found.append(noise)
    return found


def main() -> None:
    """Flood the given port until SIGTERM; the last line says how many were sent."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    port = int(sys.argv[1])
    sources = [socket.socket(type=socket.SOCK_DGRAM) for _ in range(SOURCES)]
    for source in sources:
        source.connect(("127.0.0.1", port))
        source.setblocking(False)
    packets = datagrams()
    print("flooding", flush=True)
    begun, sent = time.monotonic(), 0
    try:
        while True:
            due = int((time.monotonic() - begun) * RATE)
            while sent < due:
                with contextlib.suppress(OSError):  # full: dropped, as a network would
                    sources[sent % SOURCES].send(packets[sent % len(packets)])
                sent += 1
            time.sleep(TICK_S)
    except KeyboardInterrupt:
        print(sent, flush=True)


if __name__ == "__main__":
    main()

"""`manage.py bench join`: from an open socket to the first packet of somebody else, at 1, 10 and 30 joins a second.

A whole Quorum and a meeting in which one bot is seen and heard. Others (`tests.system.bots`) come one after another at
the given pace whether or not those before them are in; each opens a socket, joins, offers to receive, connects by ICE
and DTLS, and waits for a packet of the relay. The clock runs from the open socket. The bots share the machine with the
server, and their cost is in the figure; what a bot's own process spent for each join is in the samples, apart.
"""

import asyncio
import logging
import secrets
import time
from typing import Any

from tests.load.callers import installed
from tests.load.peers.shapes import percentile
from tests.system.bots import Bot, film, tone
from tests.system.operated import Operated

RATES = (1, 10, 30)
JOINS = 30
"""At each rate."""
WITHIN_S = 30.0


def run(rates: tuple[int, ...] = RATES, joins: int = JOINS) -> dict[str, Any]:
    """`first_packet_s` by rate."""
    figures: dict[str, Any] = {}
    samples: dict[str, Any] = {}
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of each request
    film(), tone()  # encoded once, before any clock runs
    with installed() as site:
        for rate in rates:
            took_s, own_cpu_s = asyncio.run(_join(site, rate, joins))
            figures[str(rate)] = {f"p{n}": round(percentile(took_s, n / 100), 3) for n in (50, 95)}
            samples[str(rate)] = {
                "first_packet_s": [round(one, 3) for one in took_s],
                "own_cpu_s_a_join": round(own_cpu_s / joins, 4),
            }
    return {"runs": joins, "figures": {"first_packet_s": figures}, "samples": samples}


async def _join(site: Operated, rate: int, joins: int) -> tuple[list[float], float]:
    """How long each took, and this process's CPU for all of them. In a room of its own."""
    slug = f"bench-{secrets.token_hex(4)}"
    room = {"slug": slug, "title": "Bench", "capacity": joins + 10}
    await asyncio.to_thread(site.post, "/api/v1/rooms/", room)
    await asyncio.to_thread(site.post, f"/api/v1/rooms/{slug}/meetings/")
    address = f"127.0.0.1:{site.port}"
    seen = await Bot.enter(address, slug, "Seen")
    bots = [seen]
    try:
        await seen.send()
        first = await Bot.enter(address, slug, "First")
        bots.append(first)
        await first.receive(1)
        await asyncio.wait_for(first.first_packet, WITHIN_S)

        async def come(number: int) -> float:
            await asyncio.sleep(number / rate)
            bot = await Bot.enter(address, slug, f"Guest {number}")
            bots.append(bot)
            await bot.receive(1)
            return await asyncio.wait_for(bot.first_packet, WITHIN_S) - bot.opened_at

        spent_s = time.process_time()
        took_s = await asyncio.gather(*(come(number) for number in range(joins)))
        return took_s, time.process_time() - spent_s
    finally:
        await asyncio.gather(*(bot.close() for bot in bots), return_exceptions=True)
        await asyncio.to_thread(site.end_meetings)

"""Our relay in a process of its own: `python -m tests.load.peers.relay_process ADDRESS`.

Commands of `media.control` come as lines of JSON on standard input, reports go out as lines on standard output; the
first line says the port, and the line `figures` is answered by the relay's own. It ends with its input.
"""

import asyncio
import dataclasses
import sys
from typing import Any

import msgspec

from media import control
from media.relay import Relay

_command: msgspec.json.Decoder[control.Command] = msgspec.json.Decoder(control.Command)


def _say(word: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
    sys.stdout.buffer.flush()


async def main(address: str) -> None:
    """See above."""
    relay = Relay(listen_address=address, port=0, advertised=(address,), report=_say)
    await relay.start()
    _say({"port": relay.port})
    lines = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async for line in lines:
        if line == b"figures\n":
            _say({"figures": dataclasses.asdict(relay.figures().total)})
        else:
            relay.perform(_command.decode(line))
    await relay.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

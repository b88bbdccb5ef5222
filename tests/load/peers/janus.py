"""Debian's Janus as a server under measurement: its VideoRoom, driven by its WebSocket API on loopback."""

import asyncio
import contextlib
import secrets
import shutil
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
from aiortc.sdp import SessionDescription
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.load.peers.client import Client
from tests.load.peers.processes import pinned
from tests.load.peers.sdp import MID, TRANSPORT_CC, Section, extension_id, payload_types, write_description
from tests.load.peers.server import Publishing, Viewing

ANSWER_WITHIN_S = 20.0
KEEP_EVERY_S = 20.0
"""Janus ends a session that says nothing for 60 s."""
ROOM = 1234
PORT = 18188
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu/janus")

_MAIN = """
general: {{
  configs_folder = "{folder}"
  plugins_folder = "{libraries}/plugins"
  transports_folder = "{libraries}/transports"
  events_folder = "{folder}/none"
  loggers_folder = "{folder}/none"
  debug_level = 2
}}
nat: {{ ice_enforce_list = "{address}" }}
media: {{ ipv6 = false, rtp_port_range = "20000-40000" }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""
_ROOM = """
general: {{ }}
room-{room}: {{
  description = "load"
  publishers = 100
  bitrate = 0
  fir_freq = 0
  videocodec = "vp8"
  notify_joining = false
}}
"""
_SOCKETS = """
general: {{ json = "compact", ws = true, ws_port = {port}, ws_ip = "127.0.0.1", wss = false }}
admin: {{ admin_ws = false }}
"""


class JanusRefused(Exception):
    """Janus answered with an error; the message is its own."""


def janus_binary() -> str | None:
    """Where it is installed, or None."""
    return shutil.which("janus") if LIBRARIES.is_dir() else None


def write_configuration(folder: Path, address: str) -> None:
    """Everything at its defaults but for the address, the one room, and what is not needed left out."""
    others = [
        ",".join(sorted(path.name for path in (LIBRARIES / kind).glob("*.so") if path.name != kept))
        for kind, kept in (("plugins", "libjanus_videoroom.so"), ("transports", "libjanus_websockets.so"))
    ]
    main = _MAIN.format(folder=folder, libraries=LIBRARIES, address=address, plugins=others[0], transports=others[1])
    (folder / "janus.jcfg").write_text(main)
    (folder / "janus.plugin.videoroom.jcfg").write_text(_ROOM.format(room=ROOM))
    (folder / "janus.transport.websockets.jcfg").write_text(_SOCKETS.format(port=PORT))


class Janus:
    """One process with one room."""

    name = "janus"

    def __init__(self, address: str) -> None:
        self._address = address
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._feeds: list[int] = []
        self._up: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)
        """By handle: Janus, too, has finished DTLS; before that a feed cannot be subscribed to."""

    async def start(self, core: set[int]) -> None:
        """Start it on these cores, and open a session."""
        binary = janus_binary()
        assert binary is not None
        self._folder = tempfile.TemporaryDirectory(prefix="quorum-janus-")
        folder = Path(self._folder.name)
        write_configuration(folder, self._address)
        with (folder / "janus.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                binary,
                *("--configs-folder", folder, "--config", folder / "janus.jcfg", "--disable-colors"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=pinned(core),
            )
        self.pid = self._process.pid
        self._socket = await self._reach()
        self._listening = asyncio.create_task(self._listen())
        self._session = (await self._ask(janus="create"))["data"]["id"]
        self._keeping = asyncio.create_task(self._keep())

    async def _reach(self) -> ClientConnection:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while True:
                with contextlib.suppress(ConnectionRefusedError):
                    return await connect(
                        f"ws://127.0.0.1:{PORT}",
                        subprotocols=[Subprotocol("janus-protocol")],
                        max_size=None,
                        ping_interval=None,
                        proxy=None,
                    )
                if self._process.returncode is not None:
                    log = (Path(self._folder.name) / "janus.log").read_text(errors="replace")
                    raise ConnectionError(f"janus ended: {log[-500:]}")
                await asyncio.sleep(0.05)

    async def publish(self, person: int) -> Publishing:
        """One camera."""
        handle = await self._attach()
        joined = await self._message(handle, {"request": "join", "ptype": "publisher", "room": ROOM})
        self._feeds.append(joined["plugindata"]["data"]["id"])
        client = Client(self._address)
        ssrc = secrets.randbelow(1 << 31) + 2
        sdp = write_description(await client.local(), [Section("0", "sendonly", ssrc=ssrc)], "actpass")
        answered = await self._message(handle, {"request": "publish"}, {"type": "offer", "sdp": sdp})
        media = SessionDescription.parse(answered["jsep"]["sdp"]).media[0]
        link = await client.connect(media, offered=True)
        await asyncio.wait_for(self._up[handle].wait(), ANSWER_WITHIN_S)
        return Publishing(
            link, ssrc, payload_types(media)[0], "0", extension_id(media, MID), extension_id(media, TRANSPORT_CC)
        )

    async def view(self, person: int, count: int) -> Viewing:
        """A subscription to everybody but oneself."""
        own = {self._feeds[person]} if count < len(self._feeds) else set()
        wanted = [{"feed": feed} for feed in self._feeds if feed not in own]
        handle = await self._attach()
        offered = await self._message(
            handle, {"request": "join", "ptype": "subscriber", "room": ROOM, "streams": wanted}
        )
        offer = SessionDescription.parse(offered["jsep"]["sdp"])
        client = Client(self._address)
        sections = []
        for media in offer.media:
            vp8, rtx = payload_types(media)
            sections.append(
                Section(media.rtp.muxId, "recvonly", vp8, rtx, mid_id=extension_id(media, MID), transport_cc_id=0)
            )
        sdp = write_description(await client.local(), sections, "active")
        connecting = asyncio.create_task(client.connect(offer.media[0], offered=False))
        await self._message(handle, {"request": "start", "room": ROOM}, {"type": "answer", "sdp": sdp})
        link = await connecting
        await asyncio.wait_for(self._up[handle].wait(), ANSWER_WITHIN_S)
        return Viewing(
            link,
            tuple({section.payload_type for section in sections}),
            tuple(description.ssrc for media in offer.media for description in media.ssrc),
        )

    async def settled(self) -> None:
        """Everybody is: `publish` and `view` waited for Janus."""

    async def figures(self) -> dict[str, Any]:
        """None of its own."""
        return {}

    async def stop(self) -> None:
        """End it, and its folder."""
        self._keeping.cancel()
        self._listening.cancel()
        await self._socket.close()
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), 5)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._folder.cleanup()

    # --- its API ------------------------------------------------------------------------------------------------------
    async def _attach(self) -> int:
        answer = await self._ask(janus="attach", session_id=self._session, plugin="janus.plugin.videoroom")
        return int(answer["data"]["id"])

    async def _message(self, handle: int, body: dict[str, Any], jsep: dict[str, str] | None = None) -> dict[str, Any]:
        more = {} if jsep is None else {"jsep": jsep}
        answer = await self._ask(janus="message", session_id=self._session, handle_id=handle, body=body, **more)
        said = answer.get("plugindata", {}).get("data", {})
        if "error" in said:
            raise JanusRefused(said["error"])
        return answer

    async def _ask(self, **request: Any) -> dict[str, Any]:
        transaction = secrets.token_hex(6)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[transaction] = answer
        await self._socket.send(msgspec.json.encode({**request, "transaction": transaction}).decode())
        found = await asyncio.wait_for(answer, ANSWER_WITHIN_S)
        if found["janus"] == "error":
            raise JanusRefused(found["error"]["reason"])
        return found

    async def _listen(self) -> None:
        async for text in self._socket:
            said = msgspec.json.decode(text)
            if said["janus"] == "webrtcup":
                self._up[said["sender"]].set()
            # `ack` says only that an answer will come.
            if said["janus"] != "ack" and said.get("transaction") in self._asked:
                self._asked.pop(said["transaction"]).set_result(said)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            said = {"janus": "keepalive", "session_id": self._session, "transaction": secrets.token_hex(6)}
            await self._socket.send(msgspec.json.encode(said).decode())

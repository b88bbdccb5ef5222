"""The kernel's twin executes the golden scenarios that every other executor must execute too."""

import json
from pathlib import Path
from typing import Any

import pytest

from media.kernel.table import (
    AddSink,
    AddSource,
    Align,
    DropSource,
    Gate,
    IngressExtensions,
    Repair,
    Repeat,
    Resend,
    Route,
    SetIngress,
    Sink,
    Source,
)
from media.kernel.twin import Twin
from media.rtp.extensions import build_extensions
from media.rtp.packets import RtpPacket, build_packet, parse_packet

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "kernel.json").read_text())
MID_BLOCK = bytes.fromhex("bede000140300000")


class Way:
    """A peer's way out that keeps what left; protecting is somebody else's business."""

    def __init__(self, peer: int, sent: list[tuple[int, bytes]]) -> None:
        self.ready, self.address = True, peer
        self._sent = sent

    def protect(self, packet: bytes) -> bytes:
        return packet

    def sendto(self, packet: bytes, address: int) -> None:
        self._sent.append((address, packet))


def set_up(sent: list[tuple[int, bytes]]) -> Twin:
    twin, setup = Twin(), VECTORS["setup"]
    for peer in setup["peers"]:
        twin.attach(peer, Way(peer, sent))
        twin.apply([SetIngress(peer, IngressExtensions(**setup["ingress"]))])
    twin.apply(AddSource(Source(**source)) for source in setup["sources"])
    for sink in setup["sinks"]:
        payload_types = {codec: tuple(pair) for codec, pair in sink["payload_types"].items()}
        entry = {"rtx_ssrc": None} | sink | {"payload_types": payload_types, "extension": MID_BLOCK}
        twin.apply([AddSink(Sink(**entry))])
    return twin


def packet_of(said: dict[str, Any]) -> bytes:
    profile, block = None, b""
    if said.get("extensions"):
        profile, block = build_extensions({int(k): bytes.fromhex(v) for k, v in said["extensions"].items()})
    return build_packet(
        RtpPacket(
            payload_type=said["pt"],
            sequence=said["seq"],
            timestamp=said["ts"],
            ssrc=said["ssrc"],
            payload=bytes.fromhex(said["payload"]),
            marker=said.get("marker", False),
            extension_profile=profile,
            extension=block,
        )
    )


def described(to: int, packet: bytes) -> dict[str, Any]:
    p = parse_packet(packet)
    assert p.extension == MID_BLOCK[4:]
    plain = {"to": to, "pt": p.payload_type, "seq": p.sequence, "ts": p.timestamp, "ssrc": p.ssrc}
    return plain | ({"marker": True} if p.marker else {}) | {"payload": p.payload.hex()}


@pytest.mark.parametrize("scenario", VECTORS["scenarios"], ids=lambda s: s["name"].replace(" ", "_"))
def test_the_twin_executes(scenario: dict[str, Any]) -> None:
    sent: list[tuple[int, bytes]] = []
    twin = set_up(sent)
    for step in scenario["steps"]:
        match step:
            case {"in": said}:
                twin.receive(said["peer"], packet_of(said), said["us"])
            case {"route": [sink, source]}:
                twin.apply([Route(sink, source)])
            case {"gate": [source, open_]}:
                twin.apply([Gate(source, open_)])
            case {"align": [source, shift]}:
                twin.apply([Align(source, shift)])
            case {"repair": [source, ssrc]}:
                twin.apply([Repair(source, ssrc)])
            case {"drop": source}:
                twin.apply([DropSource(source)])
            case {"resend": [sink, sequences]}:
                twin.apply([Resend(sink, tuple(sequences))])
            case {"repeat": sink}:
                twin.apply([Repeat(sink)])
            case {"out": expected}:
                assert [described(*packet) for packet in sent] == expected
                sent.clear()
            case {"missing": expected}:
                facts = {str(s.id): [full & 0xFFFF for full, _ in s.missing] for s in twin.facts().sources}
                assert {source: facts[source] for source in expected} == expected
            case {"waiting": expected}:
                assert list(twin.facts().waiting) == expected
            case _:
                raise AssertionError(step)
    assert twin.counters.malformed == 0

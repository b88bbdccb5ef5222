"""Session descriptions of the load's clients (RFC 8829): video sections of VP8 with RTX, and nothing else. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aiortc.sdp import MediaDescription

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"


@dataclass(frozen=True, slots=True)
class Local:
    """One end's transport, as its SDP lines say it."""

    ufrag: str
    password: str
    fingerprint: str
    """With the name of its digest."""
    candidates: tuple[str, ...]
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Section:
    """One section; with an SSRC where it sends."""

    mid: str
    direction: Literal["sendonly", "recvonly"]
    payload_type: int = 96
    rtx_payload_type: int | None = 97
    mid_id: int = 1
    transport_cc_id: int = 2
    ssrc: int | None = None


def write_description(local: Local, sections: Sequence[Section], setup: Literal["actpass", "active"]) -> str:
    """An offer (`actpass`), or an answer that begins DTLS (`active`)."""
    lines = [
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(section.mid for section in sections),
        "a=msid-semantic: WMS *",
    ]
    for section in sections:
        lines += _section_lines(local, section, setup)
    return "\r\n".join(lines) + "\r\n"


def _section_lines(local: Local, section: Section, setup: str) -> list[str]:
    media, rtx = section.payload_type, section.rtx_payload_type
    lines = [
        f"m=video {local.port} UDP/TLS/RTP/SAVPF {media}" + ("" if rtx is None else f" {rtx}"),
        f"c=IN IP4 {local.address}",
        "a=rtcp:9 IN IP4 0.0.0.0",
        *(f"a=candidate:{candidate}" for candidate in local.candidates),
        "a=end-of-candidates",
        f"a=ice-ufrag:{local.ufrag}",
        f"a=ice-pwd:{local.password}",
        f"a=fingerprint:{local.fingerprint}",
        f"a=setup:{setup}",
        f"a=mid:{section.mid}",
    ]
    if section.mid_id:
        lines.append(f"a=extmap:{section.mid_id} {MID}")
    if section.transport_cc_id:
        lines.append(f"a=extmap:{section.transport_cc_id} {TRANSPORT_CC}")
    lines += [f"a={section.direction}", "a=rtcp-mux", "a=rtcp-rsize", f"a=rtpmap:{media} VP8/90000"]
    fed_back = ["nack", "nack pli", "ccm fir"] + (["transport-cc"] if section.transport_cc_id else [])
    lines += [f"a=rtcp-fb:{media} {kind}" for kind in fed_back]
    if rtx is not None:
        lines += [f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={media}"]
    if section.ssrc is not None:
        lines += [f"a=msid:load track-{section.mid}", f"a=ssrc:{section.ssrc} cname:load"]
    return lines


def extension_id(media: MediaDescription, uri: str) -> int:
    """Its id in a section that was answered, 0 where it was not taken."""
    return next((extension.id for extension in media.rtp.headerExtensions if extension.uri == uri), 0)


def payload_types(media: MediaDescription) -> tuple[int, int | None]:
    """(VP8, its RTX or None) of a section. Raise LookupError where there is no VP8."""
    vp8 = next((c.payloadType for c in media.rtp.codecs if c.name.lower() == "vp8"), None)
    if vp8 is None:
        raise LookupError("a section without VP8")
    repairs = (c.payloadType for c in media.rtp.codecs if c.name.lower() == "rtx" and c.parameters.get("apt") == vp8)
    return vp8, next(repairs, None)

"""Answers to the two offers of a browser (RFC 8829 §5.3): what it sends, and the slots in which it receives.

Every answer is ICE-lite, one BUNDLE over one transport, passive in DTLS. A section that we cannot serve is refused with
port 0 and does not hurt the others. `read_offer` first, then `answer_send` or `answer_receive`: nothing but BadSdp is
ever raised for what a browser wrote.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from media.rtp.extensions import ABS_SEND_TIME, AUDIO_LEVEL, MID, REPAIRED_RID, RID, TRANSPORT_CC
from media.transport.sdp_read import Offer, OfferedCodec, OfferedSection, read_offer
from media.transport.sdp_structure import BadSdp, Fingerprint

__all__ = [
    "BadSdp",
    "Fingerprint",
    "LocalTransport",
    "Offer",
    "OfferedSection",
    "ReceiveAnswer",
    "ReceiveSlot",
    "SendAnswer",
    "SendSection",
    "SlotTerms",
    "answer_receive",
    "answer_send",
    "read_offer",
]

Kind = Literal["audio", "video"]
Codec = Literal["opus", "VP8", "H264", "VP9", "AV1"]

MOST_SENT = 4
"""Sections of one kind that a browser may send: two would do; whatever comes after these is refused with port 0."""

START_KBPS = 2000
"""Chromium begins at 300 kbit/s and climbs for some 24 s to 720p; told this in the answer, it is there in one."""

_BASELINE = re.compile(r"42[eE]0[0-9a-fA-F]{2}")
_OPUS = "minptime=10;useinbandfec=1"
_ECHOED = ("profile-id", "level-idx", "profile", "tier")
"""Parameters of VP9 and AV1 that are answered as they were offered."""
_NAMES: Mapping[str, Codec] = {"opus": "opus", "vp8": "VP8", "h264": "H264", "vp9": "VP9", "av1": "AV1"}


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """Our end of a connection. `candidates` are values of `a=candidate`, without the name."""

    ufrag: str
    password: str
    fingerprint: Fingerprint
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SendSection:
    """One stream that the browser sends. `extensions` is URI → id; `ssrcs` media SSRC → RTX SSRC or None, empty where
    they are to be learnt from mid (and rid) in the packets. `stream_id`, `track_id` are those of its msid.
    """

    mid: str
    kind: Kind
    codec: Codec
    payload_type: int
    rtx_payload_type: int | None
    clock_rate: int
    extensions: Mapping[str, int]
    ssrcs: Mapping[int, int | None]
    stream_id: str
    track_id: str
    cname: str
    rids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """The text, and what the browser will send."""

    text: str
    sections: tuple[SendSection, ...]


@dataclass(frozen=True, slots=True)
class SlotTerms:
    """What one slot sends as. Slots of one `stream_id` are played in sync. `rtx_ssrc` is for video only."""

    ssrc: int
    rtx_ssrc: int | None
    cname: str
    stream_id: str
    track_id: str


@dataclass(frozen=True, slots=True)
class ReceiveSlot:
    """One slot that was agreed on: codec → (payload type, RTX payload type or None), extensions URI → id."""

    mid: str
    kind: Kind
    codecs: Mapping[Codec, tuple[int, int | None]]
    extensions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ReceiveAnswer:
    """The text, and the slots that the browser will play."""

    text: str
    slots: tuple[ReceiveSlot, ...]


def answer_send(
    offer: Offer, local: LocalTransport, *, simulcast: bool = False, start_kbps: int = START_KBPS
) -> SendAnswer:
    """Answer what the browser would send: of each section the first of our codecs in the browser's order.

    `simulcast` accepts the layers that are offered by rid; without it the first one alone is sent. Raises BadSdp
    (sdp.no-common-codec) where no section remains.
    """
    chosen: list[SendSection] = []
    bodies: list[list[str] | None] = []
    for section in offer.sections:
        codec = next(filter(_is_ours, section.codecs), None) if section.sends else None
        if codec is None or sum(other.kind == section.kind for other in chosen) >= MOST_SENT:
            bodies.append(None)
            continue
        name = _name(codec)
        rids = section.rids if simulcast else ()
        wanted = [MID, ABS_SEND_TIME, TRANSPORT_CC]
        wanted += [AUDIO_LEVEL] if section.kind == "audio" else [RID, REPAIRED_RID] if rids else []
        extensions = _agreed(section, wanted)
        feedback = ["nack", "transport-cc", *([] if section.kind == "audio" else ["nack pli", "ccm fir"])]
        fmtp = [] if section.kind == "audio" else [f"x-google-start-bitrate={start_kbps}"]
        lines = ["a=recvonly", *_extension_lines(extensions), *_codec_lines(codec, feedback, fmtp)]
        if rids:
            lines += [*(f"a=rid:{rid} recv" for rid in rids), "a=simulcast:recv " + ";".join(rids)]
        bodies.append(_media_line(section, (codec,)) + lines)
        chosen.append(
            SendSection(
                mid=section.mid,
                kind="audio" if section.kind == "audio" else "video",
                codec=name,
                payload_type=codec.payload_type,
                rtx_payload_type=codec.rtx_payload_type,
                clock_rate=codec.clock_rate,
                extensions=extensions,
                ssrcs=dict(section.ssrcs),
                stream_id=section.stream_id,
                track_id=section.track_id,
                cname=section.cname,
                rids=rids,
            )
        )
    return SendAnswer(_text(offer, local, bodies), tuple(chosen))


def answer_receive(
    offer: Offer, local: LocalTransport, slots: Mapping[str, SlotTerms], *, transport_cc: bool = False
) -> ReceiveAnswer:
    """Answer the slots in which the browser would receive; `slots` is mid → what we send there.

    A video slot may carry each of our codecs, whichever its sender uses. Sections without terms are refused. Raises
    BadSdp (sdp.no-common-codec) where no section remains.
    """
    agreed: list[ReceiveSlot] = []
    bodies: list[list[str] | None] = []
    for section in offer.sections:
        terms = slots.get(section.mid)
        codecs = _first_of_each(section.codecs) if section.receives and terms is not None else {}
        if terms is None or not codecs:
            bodies.append(None)
            continue
        wanted = [MID, *([AUDIO_LEVEL] if section.kind == "audio" else []), *([TRANSPORT_CC] if transport_cc else [])]
        extensions = _agreed(section, wanted)
        feedback = ["nack", "nack pli", "ccm fir", "goog-remb"] if section.kind == "video" else ["nack"]
        feedback += ["transport-cc"] if transport_cc else []
        lines = ["a=sendonly", *_extension_lines(extensions)]
        for codec in codecs.values():
            lines += _codec_lines(codec, feedback, [])
        lines.append(f"a=msid:{terms.stream_id} {terms.track_id}")
        repairs = terms.rtx_ssrc is not None and any(codec.rtx_payload_type for codec in codecs.values())
        if repairs:
            lines.append(f"a=ssrc-group:FID {terms.ssrc} {terms.rtx_ssrc}")
        for ssrc in (terms.ssrc, terms.rtx_ssrc) if repairs else (terms.ssrc,):
            lines += [f"a=ssrc:{ssrc} cname:{terms.cname}", f"a=ssrc:{ssrc} msid:{terms.stream_id} {terms.track_id}"]
        bodies.append(_media_line(section, codecs.values()) + lines)
        agreed.append(
            ReceiveSlot(
                mid=section.mid,
                kind="audio" if section.kind == "audio" else "video",
                codecs={name: (codec.payload_type, codec.rtx_payload_type) for name, codec in codecs.items()},
                extensions=extensions,
            )
        )
    return ReceiveAnswer(_text(offer, local, bodies), tuple(agreed))


def _is_ours(codec: OfferedCodec) -> bool:
    match codec.name:
        case "opus":
            return codec.clock_rate == 48000 and codec.channels == 2
        case "vp8":
            return codec.clock_rate == 90000
        case "vp9":
            return codec.clock_rate == 90000 and codec.parameters.get("profile-id", "0") == "0"
        case "av1":
            return codec.clock_rate == 90000 and codec.parameters.get("profile", "0") == "0"
        case "h264":
            # Constrained baseline in packetization mode 1, told by the parameters: payload numbers mean nothing.
            profile = codec.parameters.get("profile-level-id", "")
            return codec.parameters.get("packetization-mode") == "1" and _BASELINE.fullmatch(profile) is not None
        case _:
            return False


def _name(codec: OfferedCodec) -> Codec:
    return _NAMES[codec.name]


def _first_of_each(codecs: Iterable[OfferedCodec]) -> dict[Codec, OfferedCodec]:
    found: dict[Codec, OfferedCodec] = {}
    for codec in filter(_is_ours, codecs):
        found.setdefault(_name(codec), codec)
    return found


def _agreed(section: OfferedSection, wanted: Sequence[str]) -> dict[str, int]:
    return {uri: number for uri, number in section.extensions if uri in wanted}


def _extension_lines(extensions: Mapping[str, int]) -> list[str]:
    return [f"a=extmap:{number} {uri}" for uri, number in extensions.items()]


def _codec_lines(codec: OfferedCodec, feedback: Iterable[str], extra: list[str]) -> list[str]:
    payload = codec.payload_type
    if codec.name == "opus":
        lines, parameters = [f"a=rtpmap:{payload} opus/48000/2"], [_OPUS]
    elif codec.name != "h264":
        lines = [f"a=rtpmap:{payload} {_name(codec)}/90000"]
        parameters = [f"{key}={value}" for key, value in codec.parameters.items() if key in _ECHOED]
    else:
        lines = [f"a=rtpmap:{payload} H264/90000"]
        profile = codec.parameters["profile-level-id"]
        parameters = [f"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile}"]
    # Chromium offers no NACK for Opus, and does both halves of it where it is answered (docs/decisions/0010).
    said = (*codec.feedback, "nack") if codec.name == "opus" else codec.feedback
    lines += [f"a=rtcp-fb:{payload} {kind}" for kind in feedback if kind in said]
    if parameters + extra:
        lines.append(f"a=fmtp:{payload} {';'.join(parameters + extra)}")
    if codec.rtx_payload_type is not None:
        rtx = codec.rtx_payload_type
        lines += [f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={payload}"]
    return lines


def _media_line(section: OfferedSection, codecs: Iterable[OfferedCodec]) -> list[str]:
    payloads: list[str] = []
    for codec in codecs:
        payloads.append(str(codec.payload_type))
        if codec.rtx_payload_type is not None:
            payloads.append(str(codec.rtx_payload_type))
    return [f"m={section.kind} 9 {section.protocol} {' '.join(payloads)}"]


def _text(offer: Offer, local: LocalTransport, bodies: Sequence[list[str] | None]) -> str:
    served = [section.mid for section, body in zip(offer.sections, bodies, strict=True) if body is not None]
    if not served:
        raise BadSdp(
            "sdp.no-common-codec", "no section with a codec of ours: Opus, VP8, VP9, AV1, H264 constrained baseline"
        )
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite", f"a=group:BUNDLE {' '.join(served)}"]
    lines += ["a=extmap-allow-mixed", "a=msid-semantic: WMS *"]
    for section, body in zip(offer.sections, bodies, strict=True):
        if body is None:
            kind, _, rest = section.first.split(" ", 2)
            lines += [f"m={kind} 0 {rest}", "c=IN IP4 0.0.0.0", "a=inactive"]
            lines += [f"a=mid:{section.mid}"] if section.mid else []
            continue
        lines += [body[0], "c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0"]
        lines += [f"a=ice-ufrag:{local.ufrag}", f"a=ice-pwd:{local.password}", f"a=fingerprint:{local.fingerprint}"]
        lines += ["a=setup:passive", f"a=mid:{section.mid}", "a=rtcp-mux", "a=rtcp-rsize"]
        if section.mid == served[0]:
            # The others share the first section's transport (RFC 8843 §7.1).
            lines += [*(f"a=candidate:{candidate}" for candidate in local.candidates), "a=end-of-candidates"]
        lines += body[1:]
    return "\r\n".join(lines) + "\r\n"

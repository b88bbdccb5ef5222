"""An offer as a value (RFC 8866, RFC 8829): what a browser would send or receive, section by section."""

import re
from dataclasses import dataclass
from typing import Literal

from media.transport.sdp_structure import BadSdp, Block, Fingerprint, read_structure

MOST_FORMATS = 96
"""Payload types of one section: Chromium lists 25, and there are 128 at all."""

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
_DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")
_PROTOCOL = re.compile(r"(UDP|TCP)/TLS/RTP/SAVPF")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~/:=-]{1,256}")
_MID = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,64}")
_DIGEST_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}


@dataclass(frozen=True, slots=True)
class OfferedCodec:
    """One payload type. `name` is in lower case, `parameters` of the fmtp in lower-case keys, `feedback` of rtcp-fb."""

    payload_type: int
    name: str
    clock_rate: int
    channels: int
    parameters: dict[str, str]
    feedback: tuple[str, ...]
    rtx_payload_type: int | None


@dataclass(frozen=True, slots=True)
class OfferedSection:
    """One media section. `usable` is false where it cannot be answered but with port 0; then all but `first` may lack.

    `codecs` is in the browser's order; `extensions` URI → id; `ssrcs` media SSRC → RTX SSRC or None, empty where
    the browser names its streams by rid. `first` is the section's first line without `m=`.
    """

    first: str
    kind: str
    protocol: str
    mid: str
    usable: bool
    direction: Direction
    codecs: tuple[OfferedCodec, ...] = ()
    extensions: tuple[tuple[str, int], ...] = ()
    ssrcs: tuple[tuple[int, int | None], ...] = ()
    cname: str = ""
    stream_id: str = ""
    track_id: str = ""
    rids: tuple[str, ...] = ()

    @property
    def sends(self) -> bool:
        """Whether the browser would send here."""
        return self.usable and self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        """Whether the browser would receive here."""
        return self.usable and self.direction in ("sendrecv", "recvonly")


@dataclass(frozen=True, slots=True)
class Offer:
    """A browser's offer. Everything that is served goes over one transport (BUNDLE), whose certificate this names."""

    fingerprint: Fingerprint
    sections: tuple[OfferedSection, ...]


def read_offer(text: str) -> Offer:
    """Read an offer. Raises BadSdp, and nothing else, for whatever a text may hold."""
    head, blocks = read_structure(text)
    if not blocks:
        raise BadSdp("sdp.malformed", "no media section")
    try:
        bundled = _bundled(head, blocks)
        sections = tuple(_section(head, block, bundled) for block in blocks)
    except (ValueError, IndexError) as error:
        if isinstance(error, BadSdp):
            raise
        raise BadSdp("sdp.malformed", "a number or a field is missing") from error
    mids = [section.mid for section in sections if section.mid]
    if len(set(mids)) != len(mids):
        raise BadSdp("sdp.malformed", "two sections of one mid")
    return Offer(_fingerprint(head, blocks), sections)


def _bundled(head: Block, blocks: tuple[Block, ...]) -> frozenset[str]:
    for group in head.all("group"):
        semantics, *mids = group.split()
        if semantics == "BUNDLE":
            return frozenset(mids)
    # Without a group each section would want a transport of its own; we have one.
    return frozenset((blocks[0].one("mid") or "",))


def _fingerprint(head: Block, blocks: tuple[Block, ...]) -> Fingerprint:
    found: dict[str, Fingerprint] = {}
    for block in (head, *blocks):
        for value in block.all("fingerprint"):
            algorithm, _, digest = value.partition(" ")
            algorithm = algorithm.lower()
            size = _DIGEST_BYTES.get(algorithm)
            if size is None:
                continue  # sha-1 and older: as good as none
            if not re.fullmatch(rf"[0-9A-Fa-f]{{2}}(:[0-9A-Fa-f]{{2}}){{{size - 1}}}", digest):
                raise BadSdp("sdp.malformed", "a broken fingerprint")
            fingerprint = Fingerprint(algorithm, digest.upper())
            if found.setdefault(algorithm, fingerprint) != fingerprint:
                raise BadSdp("sdp.malformed", "two certificates for one transport")
    for algorithm in _DIGEST_BYTES:
        if algorithm in found:
            return found[algorithm]
    raise BadSdp("sdp.no-fingerprint", "no fingerprint of sha-256, sha-384 or sha-512")


def _section(head: Block, block: Block, bundled: frozenset[str]) -> OfferedSection:
    kind, port, protocol, *formats = block.first.split()
    for word in (kind, protocol, *formats):
        if not _TOKEN.fullmatch(word):
            raise BadSdp("sdp.malformed", "a broken media line")
    if len(formats) > MOST_FORMATS:
        raise BadSdp("sdp.too-large", "a section of too many formats")
    if not formats or not 0 <= int(port.partition("/")[0]) <= 65535:
        raise BadSdp("sdp.malformed", "a broken media line")
    mid = block.one("mid") or ""
    if mid and not _MID.fullmatch(mid):
        raise BadSdp("sdp.malformed", "a broken mid")
    direction = _direction(block) or _direction(head) or "sendrecv"
    setup = block.one("setup") or head.one("setup") or "actpass"
    usable = (
        kind in ("audio", "video")
        and _PROTOCOL.fullmatch(protocol) is not None
        and mid != ""
        and mid in bundled
        and (port != "0" or block.has("bundle-only"))
        and block.has("rtcp-mux")
        and setup in ("actpass", "active")
    )
    first = " ".join((kind, port, protocol, *formats))
    if not usable:
        return OfferedSection(first, kind, protocol, mid, False, direction)
    stream_id, _, track_id = (block.one("msid") or "").partition(" ")
    return OfferedSection(
        first=first,
        kind=kind,
        protocol=protocol,
        mid=mid,
        usable=True,
        direction=direction,
        codecs=_codecs(block, formats),
        extensions=_extensions(head, block),
        ssrcs=_ssrcs(block),
        cname=next((v.partition(" cname:")[2] for v in block.all("ssrc") if " cname:" in v), ""),
        stream_id=stream_id,
        track_id=track_id,
        rids=_rids(block),
    )


def _rids(block: Block) -> tuple[str, ...]:
    rids = tuple(value.split()[0] for value in block.all("rid") if value.split()[1] == "send")
    if not all(map(_MID.fullmatch, rids)):
        raise BadSdp("sdp.malformed", "a broken rid")
    return rids


def _direction(block: Block) -> Direction | None:
    return next((direction for direction in _DIRECTIONS if block.has(direction)), None)


def _codecs(block: Block, formats: list[str]) -> tuple[OfferedCodec, ...]:
    maps = dict(_split(value) for value in block.all("rtpmap"))
    parameters = {payload: _parameters(value) for payload, value in map(_split, block.all("fmtp"))}
    feedback: dict[str, list[str]] = {}
    for payload, value in map(_split, block.all("rtcp-fb")):
        feedback.setdefault(payload, []).append(value.strip())
    rtx = {
        parameters.get(payload, {}).get("apt"): int(payload)
        for payload in formats
        if maps.get(payload, "").lower().startswith("rtx/")
    }
    codecs = []
    for payload in formats:
        if not 0 <= int(payload) <= 127:
            raise BadSdp("sdp.malformed", "a payload type above 127")
        if payload not in maps:
            continue  # a static type of RFC 3551, none of ours
        name, rate, *channels = maps[payload].split("/")
        codecs.append(
            OfferedCodec(
                payload_type=int(payload),
                name=name.lower(),
                clock_rate=int(rate),
                channels=int(channels[0]) if channels else 1,
                parameters=parameters.get(payload, {}),
                feedback=(*feedback.get(payload, ()), *feedback.get("*", ())),
                rtx_payload_type=rtx.get(payload),
            )
        )
    return tuple(codecs)


def _split(value: str) -> tuple[str, str]:
    key, _, rest = value.partition(" ")
    return key, rest


def _parameters(value: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in value.split(";"))
    return {key.lower(): given for key, _, given in pairs if key}


def _extensions(head: Block, block: Block) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for value in (*head.all("extmap"), *block.all("extmap")):
        identifier, uri, *_ = value.split()
        number = int(identifier.partition("/")[0])
        # 15 is reserved; above 14 the two-byte form would be needed on every packet, which nobody offers for ours.
        if 1 <= number <= 14:
            found.setdefault(uri, number)
    return tuple(found.items())


def _ssrcs(block: Block) -> tuple[tuple[int, int | None], ...]:
    named = [_ssrc(value.split()[0]) for value in block.all("ssrc")]
    pairs: dict[int, int] = {}
    for value in block.all("ssrc-group"):
        semantics, *members = value.split()
        if semantics == "FID" and len(members) == 2:
            pairs[_ssrc(members[0])] = _ssrc(members[1])
    repairs = set(pairs.values())
    return tuple((ssrc, pairs.get(ssrc)) for ssrc in dict.fromkeys(named) if ssrc not in repairs)


def _ssrc(text: str) -> int:
    ssrc = int(text)
    if not 0 <= ssrc < 1 << 32:
        raise BadSdp("sdp.malformed", "an SSRC above 32 bits")
    return ssrc

"""Between the words of SDP and those of the router: what a browser offered becomes a publication or slots."""

from collections.abc import Mapping
from dataclasses import dataclass

from media.control import Origin
from media.kernel.table import IngressExtensions
from media.rtp.extensions import AUDIO_LEVEL, MID, REPAIRED_RID, RID, TRANSPORT_CC, build_extensions
from media.sfu.router import Router
from media.sfu.values import Publication, PublishedSection, SlotTerms
from media.transport import sdp
from media.transport.connection import Connection

CLOCK_HZ = {"audio": 48_000, "video": 90_000}


@dataclass(frozen=True, slots=True)
class NegotiationTerms:
    """Whose offer it is, and our end of the connection."""

    router: Router
    participant_id: str
    peer: int
    connection: Connection


def accept_send(terms: NegotiationTerms, text: str, origins: Mapping[str, Origin]) -> str:
    """Answer what a browser would send, and tell the router. Raise BadSdp."""
    offer = sdp.read_offer(text)
    answer = sdp.answer_send(offer, terms.connection.local, simulcast=True)
    numbers: dict[str, int] = {}
    sections = []
    for section in answer.sections:
        numbers.update(section.extensions)
        ssrc, rtx_ssrc = next(iter(section.ssrcs.items()), (None, None))
        sections.append(
            PublishedSection(
                section.mid,
                section.kind,
                _origin(section, origins),
                section.codec,
                section.payload_type,
                section.clock_rate,
                ssrc,
                rtx_ssrc,
                section.rids,
                section.rtx_payload_type,
            )
        )
    extensions = IngressExtensions(
        mid=numbers.get(MID, 0),
        rid=numbers.get(RID, 0),
        repaired_rid=numbers.get(REPAIRED_RID, 0),
        audio_level=numbers.get(AUDIO_LEVEL, 0),
        transport_cc=numbers.get(TRANSPORT_CC, 0),
    )
    terms.router.offer_send(terms.participant_id, terms.peer, Publication(extensions, tuple(sections)))
    terms.connection.set_remote(offer.fingerprint)
    return answer.text


def _origin(section: sdp.SendSection, origins: Mapping[str, Origin]) -> Origin:
    possible: tuple[Origin, ...] = ("microphone", "screen-sound") if section.kind == "audio" else ("camera", "screen")
    said = origins.get(section.mid)
    return said if said in possible else possible[0]


def accept_receive(terms: NegotiationTerms, text: str, _origins: Mapping[str, Origin]) -> str:
    """Answer the slots in which a browser would receive, and tell the router. Raise BadSdp."""
    offer = sdp.read_offer(text)
    wanted = [(section.mid, section.kind) for section in offer.sections if section.receives]
    identities = terms.router.reserve_slots(terms.participant_id, terms.peer, wanted)
    named = {
        slot.mid: sdp.SlotTerms(
            slot.ssrc, slot.rtx_ssrc, slot.stream_id, slot.stream_id, f"{slot.stream_id}-{slot.kind}"
        )
        for slot in identities
    }
    answer = sdp.answer_receive(offer, terms.connection.local, named)
    agreed = [SlotTerms(slot.mid, dict(slot.codecs), CLOCK_HZ[slot.kind], _mid_block(slot)) for slot in answer.slots]
    terms.router.offer_receive(terms.participant_id, terms.peer, agreed)
    terms.connection.set_remote(offer.fingerprint)
    return answer.text


def _mid_block(slot: sdp.ReceiveSlot) -> bytes:
    """The header extension of all packets of a slot (RFC 8285 §4.2): its mid, so that it is found before any SSRC."""
    number = slot.extensions.get(MID)
    if number is None:
        return b""
    profile, body = build_extensions({number: slot.mid.encode()})
    return profile.to_bytes(2, "big") + (len(body) // 4).to_bytes(2, "big") + body

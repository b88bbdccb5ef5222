"""The VP9 payload descriptor (RFC 9628 §4.2): what a forwarder reads, and where it rewrites."""

from typing import NamedTuple

from media.rtp.packets import MalformedPacket


class Vp9Descriptor(NamedTuple):
    """Positions are byte offsets into the payload, None where the field is absent; as in VP8's."""

    keyframe: bool
    picture_id: int | None
    picture_id_position: int | None
    picture_id_bytes: int
    tl0picidx: int | None
    tl0picidx_position: int | None


def parse_descriptor(payload: bytes) -> Vp9Descriptor:
    """Read as far as a forwarder needs; `keyframe` holds for the first packet of a picture that needs no other.

    That is: not inter-predicted (P = 0), the begin of a frame (B = 1), of the lowest spatial layer. Raises
    MalformedPacket where the descriptor is cut off.
    """
    try:
        return _parse(payload)
    except IndexError as error:
        raise MalformedPacket("VP9 descriptor is cut off") from error


def _parse(payload: bytes) -> Vp9Descriptor:
    first = payload[0]
    position = 1
    picture_id = picture_id_position = tl0picidx = tl0picidx_position = None
    picture_id_bytes = spatial = 0
    if first & 0x80:
        picture_id_position = position
        picture_id = payload[position]
        picture_id_bytes = 1
        if picture_id & 0x80:
            picture_id = (picture_id & 0x7F) << 8 | payload[position + 1]
            picture_id_bytes = 2
        position += picture_id_bytes
    if first & 0x20:
        spatial = payload[position] >> 1 & 0x07
        position += 1
        if not first & 0x10:  # TL0PICIDX is there in non-flexible mode only
            tl0picidx_position = position
            tl0picidx = payload[position]
    keyframe = first & 0x48 == 0x08 and spatial == 0
    return Vp9Descriptor(keyframe, picture_id, picture_id_position, picture_id_bytes, tl0picidx, tl0picidx_position)


def is_keyframe(payload: bytes) -> bool:
    """Whether the payload begins a keyframe. Never raises: what cannot be read begins nothing."""
    try:
        return _parse(payload).keyframe
    except IndexError:
        return False

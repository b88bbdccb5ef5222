"""H.264 payloads (RFC 6184): where a decoder can start."""

from media.rtp.packets import MalformedPacket

IDR, SPS = 5, 7
STAP_A, FU_A = 24, 28


def nal_types(payload: bytes) -> tuple[int, ...]:
    """The NAL unit types that begin in this payload: one, those of a STAP-A (§5.7.1), or of a starting FU-A (§5.8).

    A fragment that goes on begins nothing: (). Raises MalformedPacket where an aggregate or fragment is cut off.
    """
    if not payload:
        raise MalformedPacket("an empty H.264 payload")
    kind = payload[0] & 0x1F
    if kind == STAP_A:
        return tuple(_aggregated(payload))
    if kind == FU_A:
        if len(payload) < 2:
            raise MalformedPacket("H.264 fragment is cut off")
        return (payload[1] & 0x1F,) if payload[1] & 0x80 else ()
    return (kind,)


def _aggregated(payload: bytes) -> list[int]:
    kinds = []
    position = 1
    while position < len(payload):
        size = int.from_bytes(payload[position : position + 2], "big")
        if size == 0 or position + 2 + size > len(payload):
            raise MalformedPacket("H.264 aggregate is cut off")
        kinds.append(payload[position + 2] & 0x1F)
        position += 2 + size
    return kinds


def is_keyframe(payload: bytes) -> bool:
    """Whether the payload begins a keyframe: it carries a sequence parameter set or begins an IDR slice.

    Encoders send the parameter sets right before the IDR slice, so a switch at either is clean. Never raises: what
    cannot be read begins nothing.
    """
    try:
        kinds = nal_types(payload)
    except MalformedPacket:
        return False
    return SPS in kinds or IDR in kinds

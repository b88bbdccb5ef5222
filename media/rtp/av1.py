"""AV1 payloads (RTP Payload Format For AV1, §4): where a decoder can start."""

_N, _Z = 0x08, 0x80
_SEQUENCE_HEADER = 1


def is_keyframe(payload: bytes) -> bool:
    """Whether the packet is the first of a coded video sequence, which begins with a keyframe.

    N of the aggregation header (§4.4) says so. It may not go with Z (the packet goes on with an OBU of the one
    before), and the first OBU is then a sequence header, after a temporal delimiter at most. Never raises.
    """
    if len(payload) < 2 or not payload[0] & _N or payload[0] & _Z:
        return False
    position = 1
    if payload[0] >> 4 & 3 != 1:  # W = 1: one element, which bears no size (§4.3)
        while position < len(payload) and payload[position] & 0x80:
            position += 1
        position += 1
    return position < len(payload) and payload[position] >> 3 & 15 == _SEQUENCE_HEADER

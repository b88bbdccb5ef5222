"""RTP header extensions: the one-byte and two-byte forms of RFC 8285, and the values that the relay uses."""

from collections.abc import Mapping
from dataclasses import dataclass

from media.rtp.packets import MalformedPacket

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

ONE_BYTE_PROFILE = 0xBEDE
TWO_BYTE_PROFILE = 0x1000


@dataclass(frozen=True, slots=True)
class AudioLevel:
    """RFC 6464 §3: `level_dbov` is 0 (loudest) ... 127 (silence), for its negative; `voice` is the sender's guess."""

    voice: bool
    level_dbov: int


def parse_extensions(profile: int | None, extension: bytes) -> dict[int, bytes]:
    """Id → value of every element (RFC 8285 §4.2, §4.3).

    An unknown profile gives nothing; of a repeated id the last counts. Raises MalformedPacket where an element is
    longer than what is left.
    """
    if profile == ONE_BYTE_PROFILE:
        return _parse_one_byte(extension)
    if profile is not None and profile & 0xFFF0 == TWO_BYTE_PROFILE:
        return _parse_two_byte(extension)
    return {}


def _parse_one_byte(extension: bytes) -> dict[int, bytes]:
    values: dict[int, bytes] = {}
    position, end = 0, len(extension)
    while position < end:
        head = extension[position]
        position += 1
        if head == 0:
            continue
        # Id 15 is reserved and id 0 has no length: both end the processing (RFC 8285 §4.2).
        if head >> 4 in (0, 15):
            break
        size = (head & 0x0F) + 1
        if position + size > end:
            raise MalformedPacket("extension element is cut off")
        values[head >> 4] = extension[position : position + size]
        position += size
    return values


def _parse_two_byte(extension: bytes) -> dict[int, bytes]:
    values: dict[int, bytes] = {}
    position, end = 0, len(extension)
    while position < end:
        identifier = extension[position]
        position += 1
        if identifier == 0:
            continue
        if position >= end or position + 1 + extension[position] > end:
            raise MalformedPacket("extension element is cut off")
        size = extension[position]
        position += 1
        values[identifier] = extension[position : position + size]
        position += size
    return values


def build_extensions(values: Mapping[int, bytes]) -> tuple[int, bytes]:
    """(profile, extension) for id → value, padded to four bytes; the one-byte form wherever it can say everything.

    Ids are 1 ... 255 and values at most 255 bytes; ValueError otherwise.
    """
    parts: list[bytes] = []
    if all(1 <= identifier <= 14 and 1 <= len(value) <= 16 for identifier, value in values.items()):
        profile = ONE_BYTE_PROFILE
        for identifier, value in values.items():
            parts += (bytes((identifier << 4 | len(value) - 1,)), value)
    else:
        profile = TWO_BYTE_PROFILE
        for identifier, value in values.items():
            if identifier == 0:
                raise ValueError("id 0 is padding")
            parts += (bytes((identifier, len(value))), value)
    extension = b"".join(parts)
    return profile, extension + bytes(-len(extension) % 4)


def read_audio_level(value: bytes) -> AudioLevel:
    """The audio level of one packet (RFC 6464 §3). Raises MalformedPacket where the value is empty."""
    if not value:
        raise MalformedPacket("an audio level without a value")
    return AudioLevel(voice=bool(value[0] & 0x80), level_dbov=value[0] & 0x7F)


def build_audio_level(level: AudioLevel) -> bytes:
    """The value of an audio level element."""
    return bytes((level.level_dbov | (0x80 if level.voice else 0),))


def build_abs_send_time(now_us: int) -> bytes:
    """Three bytes: seconds in 6.18 fixed point, wrapping every 64 s."""
    return ((now_us << 18) // 1_000_000 & 0xFF_FFFF).to_bytes(3, "big")


def read_abs_send_time(value: bytes) -> int:
    """Microseconds into the 64 s circle. Raises MalformedPacket where the value is not three bytes."""
    if len(value) != 3:
        raise MalformedPacket("an absolute send time is three bytes")
    return int.from_bytes(value, "big") * 1_000_000 >> 18


def read_transport_sequence(value: bytes) -> int:
    """The transport-wide 16-bit sequence number. Raises MalformedPacket where the value is shorter than two bytes."""
    if len(value) < 2:
        raise MalformedPacket("a transport-wide sequence number is two bytes")
    return int.from_bytes(value[:2], "big")


def read_text(value: bytes) -> str:
    """A mid or rid (RFC 8843 §15, RFC 8852 §3). Raises MalformedPacket where it is not ASCII."""
    try:
        return value.rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedPacket("an identifier that is not ASCII") from error

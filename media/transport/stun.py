"""STUN binding requests and their answers (RFC 8489), as ICE uses them (RFC 8445 §7). Bytes to values and back."""

import hmac
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

COOKIE = 0x2112A442
COOKIE_BYTES = COOKIE.to_bytes(4, "big")
HEADER_BYTES = 20

BINDING_REQUEST, BINDING_SUCCESS, BINDING_ERROR = 0x0001, 0x0101, 0x0111

USERNAME, MESSAGE_INTEGRITY, ERROR_CODE, UNKNOWN_ATTRIBUTES = 0x0006, 0x0008, 0x0009, 0x000A
XOR_MAPPED_ADDRESS, PRIORITY, USE_CANDIDATE = 0x0020, 0x0024, 0x0025
FINGERPRINT, ICE_CONTROLLED, ICE_CONTROLLING = 0x8028, 0x8029, 0x802A
_UNDERSTOOD = frozenset((USERNAME, MESSAGE_INTEGRITY, XOR_MAPPED_ADDRESS, PRIORITY, USE_CANDIDATE))

BAD_REQUEST, UNAUTHENTICATED, UNKNOWN_ATTRIBUTE, ROLE_CONFLICT = 400, 401, 420, 487

_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")
_FINGERPRINT_XOR = 0x5354554E
_INTEGRITY_BYTES = 20


class MalformedStun(ValueError):
    """The bytes are no STUN message, or their FINGERPRINT is wrong."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `attributes` holds the first of each type that counts: what follows MESSAGE-INTEGRITY does not,
    save FINGERPRINT (RFC 8489 §14.5). `integrity_at` is the offset of that attribute, None where there is none.
    """

    kind: int
    transaction_id: bytes
    attributes: dict[int, bytes]
    integrity_at: int | None

    @property
    def not_understood(self) -> tuple[int, ...]:
        """Attributes that must be understood (below 0x8000) and are not."""
        return tuple(kind for kind in self.attributes if kind < 0x8000 and kind not in _UNDERSTOOD)


def looks_like_stun(data: bytes) -> bool:
    """Whether a datagram of the multiplex is STUN (RFC 7983 §7: first byte 0 ... 3) with the cookie in its place."""
    return len(data) >= HEADER_BYTES and data[0] < 4 and data[4:8] == COOKIE_BYTES


def parse_message(data: bytes) -> Message:
    """Read one message (RFC 8489 §5). A FINGERPRINT that is there must be right and last. Raises MalformedStun."""
    if len(data) < HEADER_BYTES:
        raise MalformedStun("shorter than the header")
    kind, size, cookie, transaction_id = _HEADER.unpack_from(data)
    if kind & 0xC000 or cookie != COOKIE:
        raise MalformedStun("no STUN header")
    if size % 4 or HEADER_BYTES + size != len(data):
        raise MalformedStun("length does not hold")
    attributes: dict[int, bytes] = {}
    integrity_at: int | None = None
    position, end = HEADER_BYTES, len(data)
    while position < end:
        attribute, length = _ATTRIBUTE.unpack_from(data, position)
        after = position + 4 + (length + 3 & ~3)
        if after > end:
            raise MalformedStun("attribute is cut off")
        value = bytes(data[position + 4 : position + 4 + length])
        if attribute == FINGERPRINT:
            if after != end or length != 4:
                raise MalformedStun("FINGERPRINT is not last, or not four bytes")
            if int.from_bytes(value, "big") != zlib.crc32(data[:position]) ^ _FINGERPRINT_XOR:
                raise MalformedStun("FINGERPRINT is wrong")
            attributes[FINGERPRINT] = value
        elif integrity_at is None:
            attributes.setdefault(attribute, value)
            if attribute == MESSAGE_INTEGRITY:
                if length != _INTEGRITY_BYTES:
                    raise MalformedStun("MESSAGE-INTEGRITY is twenty bytes")
                integrity_at = position
        position = after
    return Message(kind, transaction_id, attributes, integrity_at)


def has_integrity(data: bytes, message: Message, key: bytes) -> bool:
    """Whether MESSAGE-INTEGRITY is there and holds under a short-term password (RFC 8489 §14.5)."""
    if message.integrity_at is None:
        return False
    return hmac.compare_digest(
        _integrity(bytes(data[: message.integrity_at]), key), message.attributes[MESSAGE_INTEGRITY]
    )


def _integrity(before: bytes, key: bytes) -> bytes:
    # The length in the header counts up to the end of MESSAGE-INTEGRITY itself, whatever follows.
    size = len(before) - HEADER_BYTES + 4 + _INTEGRITY_BYTES
    return hmac.digest(key, before[:2] + size.to_bytes(2, "big") + before[4:], "sha1")


def read_username(message: Message) -> tuple[str, str] | None:
    """(receiver's ufrag, sender's ufrag) of a check (RFC 8445 §7.2.2); None where there is none or it is not both."""
    try:
        first, colon, second = message.attributes.get(USERNAME, b"").decode("ascii").partition(":")
    except UnicodeDecodeError:
        return None
    return (first, second) if first and colon else None


def read_xor_address(message: Message) -> tuple[str, int]:
    """The XOR-MAPPED-ADDRESS of an answer (RFC 8489 §14.2). Raises MalformedStun where it is missing or broken."""
    value = message.attributes.get(XOR_MAPPED_ADDRESS, b"")
    if len(value) not in (8, 20) or value[1] != (1 if len(value) == 8 else 2):
        raise MalformedStun("XOR-MAPPED-ADDRESS is missing or broken")
    port = int.from_bytes(value[2:4], "big") ^ COOKIE >> 16
    mask = COOKIE_BYTES + message.transaction_id
    return str(ip_address(bytes(a ^ b for a, b in zip(value[4:], mask, strict=False)))), port


def build_message(
    kind: int, transaction_id: bytes, attributes: Iterable[tuple[int, bytes]], *, key: bytes | None = None
) -> bytes:
    """One message with FINGERPRINT, and MESSAGE-INTEGRITY where a key is given."""
    body = b"".join(
        _ATTRIBUTE.pack(attribute, len(value)) + value + bytes(-len(value) % 4) for attribute, value in attributes
    )
    data = _HEADER.pack(kind, len(body), COOKIE, transaction_id) + body
    if key is not None:
        data += _ATTRIBUTE.pack(MESSAGE_INTEGRITY, _INTEGRITY_BYTES) + _integrity(data, key)
    size = len(data) - HEADER_BYTES + 8
    data = data[:2] + size.to_bytes(2, "big") + data[4:]
    return data + struct.pack("!HHI", FINGERPRINT, 4, zlib.crc32(data) ^ _FINGERPRINT_XOR)


def build_success(request: Message, source: tuple[str, int], key: bytes) -> bytes:
    """The answer to a good check: where it came from, XORed so that no middlebox rewrites it (RFC 8489 §14.2)."""
    address = ip_address(source[0].partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    mask = COOKIE_BYTES + request.transaction_id
    packed = bytes(a ^ b for a, b in zip(address.packed, mask, strict=False))
    value = struct.pack("!BBH", 0, 1 if address.version == 4 else 2, source[1] ^ COOKIE >> 16) + packed
    return build_message(BINDING_SUCCESS, request.transaction_id, ((XOR_MAPPED_ADDRESS, value),), key=key)


def build_error(request: Message, code: int, *, key: bytes | None = None) -> bytes:
    """An error answer without a reason phrase: 36 bytes, below twice the smallest request, so it amplifies nothing."""
    attributes = [(ERROR_CODE, bytes((0, 0, code // 100, code % 100)))]
    if code == UNKNOWN_ATTRIBUTE:
        kinds = request.not_understood
        attributes.append((UNKNOWN_ATTRIBUTES, struct.pack(f"!{len(kinds)}H", *kinds)))
    return build_message(BINDING_ERROR, request.transaction_id, attributes, key=key)

"""Numbers that wrap: 16-bit sequence numbers and 32-bit timestamps (RFC 1982, RFC 3550 §A.1)."""


def distance16(later: int, earlier: int) -> int:
    """Signed distance from `earlier` to `later` on the 16-bit circle, −32768 ... 32767."""
    return ((later - earlier + 0x8000) & 0xFFFF) - 0x8000


def distance32(later: int, earlier: int) -> int:
    """Signed distance from `earlier` to `later` on the 32-bit circle."""
    return ((later - earlier + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000


def newer16(sequence: int, than: int) -> bool:
    """Whether a 16-bit number lies ahead of another; exactly half a circle away counts as behind."""
    return distance16(sequence, than) > 0


def newer32(timestamp: int, than: int) -> bool:
    """Whether a 32-bit number lies ahead of another; exactly half a circle away counts as behind."""
    return distance32(timestamp, than) > 0


def unwrap16(sequence: int, reference: int) -> int:
    """The extended number nearest to the extended `reference` whose low 16 bits are `sequence`. May be negative."""
    return reference + distance16(sequence, reference & 0xFFFF)


def unwrap32(timestamp: int, reference: int) -> int:
    """The extended number nearest to the extended `reference` whose low 32 bits are `timestamp`. May be negative."""
    return reference + distance32(timestamp, reference & 0xFFFF_FFFF)

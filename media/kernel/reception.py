"""What has come of one incoming stream: extended sequence numbers, gaps, jitter (RFC 3550 §A.1, A.3, A.8)."""

from collections.abc import Callable

MAX_GAP = 500
"""A jump ahead of more packets than this is a restart of the sender, not a loss worth repairing."""


class Reception:
    """Reception of one source. `missing` maps extended sequence numbers to when (µs) they were noticed; `on_gap`, if
    any, is told of them at once.
    """

    __slots__ = (
        "_clock_hz",
        "_first",
        "_jitter_16",
        "_transit",
        "highest",
        "last_at_us",
        "missing",
        "octets",
        "on_gap",
        "packets",
    )

    def __init__(self, clock_hz: int, on_gap: Callable[[range, int], None] | None = None) -> None:
        self.on_gap = on_gap
        self._clock_hz = clock_hz
        self._first = -1
        self._transit: int | None = None
        self._jitter_16 = 0
        self.highest = -1
        self.packets = self.octets = 0
        self.last_at_us = 0
        self.missing: dict[int, int] = {}

    def extend(self, sequence: int) -> int:
        """A 16-bit sequence number as an extended one, near the highest seen."""
        highest = self.highest
        if highest < 0:
            return sequence + 0x10000  # leaves room for packets that come before the first
        return highest + ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000

    def arrived(self, sequence: int, timestamp: int, octets: int, now_us: int) -> int:
        """Count one packet; its extended sequence number, or −1 for one that came too late or twice."""
        full = self.extend(sequence)
        highest = self.highest
        if full > highest:
            if highest < 0:
                self._first = full
            elif full > highest + 1:
                if full - highest <= MAX_GAP:
                    missing = self.missing
                    for lost in range(highest + 1, full):
                        missing[lost] = now_us
                    if self.on_gap is not None:
                        self.on_gap(range(highest + 1, full), now_us)
                else:
                    self.missing.clear()
            self.highest = full
            transit = now_us * self._clock_hz // 1_000_000 - timestamp
            if self._transit is not None:
                distance = abs(transit - self._transit) & 0xFFFFFFFF
                if distance < 0x7FFFFFFF:
                    self._jitter_16 += distance - ((self._jitter_16 + 8) >> 4)
            self._transit = transit
        elif self.missing.pop(full, None) is None:
            return -1
        self.packets += 1
        self.octets += octets
        self.last_at_us = now_us
        return full

    def repair(self, sequence: int) -> bool:
        """A retransmitted packet came: True if it was still missing."""
        if self.missing.pop(self.extend(sequence), None) is None:
            return False
        self.packets += 1
        return True

    def forget(self, sequences: tuple[int, ...]) -> None:
        """Stop waiting for these extended sequence numbers."""
        for full in sequences:
            self.missing.pop(full, None)

    @property
    def expected(self) -> int:
        """Packets that ought to have come by now."""
        return self.highest - self._first + 1 if self.highest >= 0 else 0

    @property
    def jitter(self) -> int:
        """Interarrival jitter in ticks of the stream's clock."""
        return self._jitter_16 >> 4

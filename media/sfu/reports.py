"""Sender and receiver reports (RFC 3550 §6.4): ours about what we receive, and the publishers' own, carried over."""

from dataclasses import dataclass

from media.kernel.table import SinkFacts, SourceFacts
from media.rtp.rtcp import ReportBlock, SenderReport
from media.rtp.rtcp_build import sender_report

FROM_RELAY = 1
"""Our own SSRC where RTCP wants one (RFC 4585 §6.1); we send no media under it."""


@dataclass(slots=True)
class Clock:
    """A publisher's last sender report and when it came: wall clock (NTP 32.32) against RTP timestamps."""

    ntp: int
    timestamp: int
    at_us: int

    @classmethod
    def of(cls, report: SenderReport, now_us: int) -> "Clock":
        """Taken over as it came."""
        return cls(report.ntp, report.timestamp, now_us)

    def shift(self, clock_hz: int) -> int:
        """What takes the stream's timestamps to the wall clock, in ticks of 32 bit: where all layers are the same."""
        return ((self.ntp * clock_hz >> 32) - self.timestamp) & 0xFFFFFFFF


def carried_over(sink: SinkFacts, ssrc: int, clock: Clock, clock_hz: int, now_us: int) -> bytes:
    """A sink's sender report: its source's clock, moved on to now, in the sink's timestamps.

    Audio and video of one publisher keep their common wall clock, so that a player can sync lips.
    """
    elapsed_us = now_us - clock.at_us
    return sender_report(
        ssrc,
        ntp=(clock.ntp + (elapsed_us << 32) // 1_000_000) & 0xFFFFFFFFFFFFFFFF,
        timestamp=(clock.timestamp + elapsed_us * clock_hz // 1_000_000 + sink.timestamp_offset) & 0xFFFFFFFF,
        packet_count=sink.packets,
        octet_count=sink.octets,
    )


@dataclass(slots=True)
class ReceptionReport:
    """Turns facts of one source into report blocks; remembers what the last block said."""

    ssrc: int
    _expected: int = 0
    _packets: int = 0

    def block(self, facts: SourceFacts, clock: Clock | None, now_us: int) -> ReportBlock:
        """RFC 3550 §6.4.1, with the fraction lost since the last block (§A.3)."""
        expected, received = facts.expected - self._expected, facts.packets - self._packets
        self._expected, self._packets = facts.expected, facts.packets
        lost = expected - received
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=0 if expected <= 0 or lost <= 0 else min(255, (lost << 8) // expected),
            packets_lost=facts.expected - facts.packets,
            highest_sequence=facts.highest & 0xFFFFFFFF,
            jitter=facts.jitter & 0xFFFFFFFF,
            last_sender_report=clock.ntp >> 16 & 0xFFFFFFFF if clock else 0,
            delay_since=(now_us - clock.at_us) * 65536 // 1_000_000 & 0xFFFFFFFF if clock else 0,
        )

"""A publisher, a relay's cores and a viewer on bad paths, in virtual time: the same seed gives the same story.

The browsers are what Chromium 156 does about loss. A publisher repeats what is asked for, sound as it was and pictures
by RTX, once in a round trip. A viewer asks at once for gaps of pictures and again each 100 ms; for gaps of sound with
each packet, for 100 ms; it reports each second. Packets take 1 ms on each way besides what the lanes do.
"""

import heapq
from collections.abc import Callable
from itertools import count

from media.control import Plan, PlannedParticipant
from media.kernel.table import AddSink, IngressExtensions
from media.kernel.twin import Twin
from media.rtp.packets import RtpPacket, build_packet, parse_packet, wrap_rtx
from media.rtp.rtcp import Nack, ReceiverReport, ReportBlock, parse_compound
from media.sfu.router import Router
from media.sfu.values import Close, Publication, PublishedSection, SendRtcp, SlotTerms
from tests.system.wire import Conditions, Lane

TICK_S, FRAME_S, SOUND_S, REPORT_S = 0.02, 0.05, 0.02, 1.0
PATH_S = 0.001
PACKETS_A_FRAME = 8
ASK_AGAIN_S = 0.1
KEYFRAME, OTHER = bytes.fromhex("90e08001010010"), bytes.fromhex("90e08001010011")
PUBLISHER, VIEWER = 1, 2


class _Way:
    """Where the kernel's packets for the viewer leave."""

    ready, address = True, None

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send

    def protect(self, packet: bytes) -> bytes:
        return packet

    def sendto(self, packet: bytes, _: object) -> None:
        self._send(packet)


class Arrivals:
    """What one stream's viewer has, in its own numbers, and since when (s)."""

    def __init__(self) -> None:
        self.at_s: dict[int, float] = {}
        self.top = -1
        self.twice = 0
        self.asked_s: dict[int, float] = {}
        self._reported = (0, 0)
        self.first_time = 0

    def take(self, sequence: int, now_s: float, *, again: bool = False) -> None:
        if self.top < 0:
            self.top = sequence - 1
        full = self.top + ((sequence - self.top + 0x8000) & 0xFFFF) - 0x8000
        for lost in range(self.top + 1, full):
            self.asked_s.setdefault(lost, -1.0)
        self.top = max(self.top, full)
        if full in self.at_s:
            self.twice += 1
            return
        self.at_s[full] = now_s
        self.asked_s.pop(full, None)
        self.first_time += not again

    def fraction_lost(self) -> int:
        """Since the last time, in 1/256; what came by RTX counts as lost (RFC 3550 §A.3)."""
        expected, received = (self.top - min(self.at_s) + 1, self.first_time) if self.at_s else (0, 0)
        new, got = expected - self._reported[0], received - self._reported[1]
        self._reported = expected, received
        return max(0, min(255, 256 * (new - got) // new)) if new else 0


class Story:
    """Runs for so many virtual seconds; then read `sound_late_s`, `longest_freeze_s` and the counters."""

    def __init__(self, conditions: Conditions, seed: int = 1) -> None:
        self.conditions = conditions
        self.up, self.down = Lane(seed), Lane(seed + 1)
        self.now_s = 0.0
        self.asked = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        ids, ssrcs = count(100), count(5000)
        self.twin = Twin(lost=self._lost)
        self.router = Router("m", lambda: next(ids), lambda: next(ssrcs))
        self.router.plan(Plan("m", 1, (PlannedParticipant("ann"), PlannedParticipant("bob"))))
        for peer in (PUBLISHER, VIEWER):
            self.twin.attach(peer, _Way(self._to_viewer))
        sections = (
            PublishedSection("0", "audio", "microphone", "opus", 111, 48_000, 11),
            PublishedSection("1", "video", "camera", "VP8", 96, 90_000, 12, 13),
        )
        self.router.offer_send("ann", PUBLISHER, Publication(IngressExtensions(), sections))
        self.router.reserve_slots("bob", VIEWER, [("0", "audio"), ("1", "video")])
        terms = [SlotTerms("0", {"opus": (111, None)}, 48_000), SlotTerms("1", {"VP8": (96, 97)})]
        self.router.offer_receive("bob", VIEWER, terms)
        self._sinks = {}
        self._flush()
        self.router.ready(PUBLISHER)
        self.router.ready(VIEWER)
        self._flush()
        self.sent: dict[int, dict[int, tuple[RtpPacket, float]]] = {11: {}, 12: {}}
        self.seen = {kind: Arrivals() for kind in ("audio", "video")}
        self._rtx = count()
        self._resent_s: dict[tuple[int, int], float] = {}

    def run(self, seconds: float) -> "Story":
        for act, every_s in (
            (self._tick, TICK_S),
            (self._film, FRAME_S),
            (self._speak, SOUND_S),
            (self._report, REPORT_S),
            (self._ask_again, TICK_S),
        ):
            self._each(act, every_s)
        while self._events and self._events[0][0] < seconds:
            self.now_s, _, act = heapq.heappop(self._events)
            act()
        return self

    def _each(self, act: Callable[[], None], every_s: float) -> None:
        def again() -> None:
            act()
            self._at(self.now_s + every_s, again)

        self._at(0.0, again)

    def _at(self, when_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when_s, next(self._order), act))

    def _carry(self, lane: Lane, size_bytes: int, deliver: Callable[[], None]) -> None:
        arrival_s = lane.arrival_s(self.conditions, size_bytes, self.now_s)
        if arrival_s is not None:
            self._at(arrival_s + PATH_S, deliver)

    # --- the publisher ----------------------------------------------------------------------------------------------
    def _film(self) -> None:
        frame = len(self.sent[12]) // PACKETS_A_FRAME
        for place in range(PACKETS_A_FRAME):
            first = KEYFRAME if frame == 0 and place == 0 else OTHER
            self._publish(12, 96, int(frame * FRAME_S * 90_000), first + bytes(1000), place == PACKETS_A_FRAME - 1)

    def _speak(self) -> None:
        self._publish(11, 111, len(self.sent[11]) * 960, bytes(80), marker=False)

    def _publish(self, ssrc: int, payload_type: int, timestamp: int, payload: bytes, marker: bool) -> None:
        sequence = len(self.sent[ssrc]) & 0xFFFF
        packet = RtpPacket(payload_type, sequence, timestamp, ssrc, payload, marker)
        self.sent[ssrc][sequence] = packet, self.now_s
        self._to_relay(build_packet(packet), lossless=sequence == 0)

    def _to_relay(self, packet: bytes, *, lossless: bool = False) -> None:
        def deliver() -> None:
            self.twin.receive(PUBLISHER, packet, int(self.now_s * 1e6))

        if lossless:  # a story begins with the first keyframe seen
            deliver()
        else:
            self._carry(self.up, len(packet), deliver)

    def _publisher_hears(self, rtcp: bytes) -> None:
        for said in parse_compound(rtcp):
            for sequence in said.sequences if isinstance(said, Nack) else ():
                found = self.sent[said.media_ssrc].get(sequence)
                place, round_trip_s = (said.media_ssrc, sequence), 2 * self.conditions.delay_ms / 1000
                if found is not None and self.now_s - self._resent_s.get(place, -1.0) >= round_trip_s:
                    self._resent_s[place] = self.now_s
                    packet = found[0]
                    if said.media_ssrc == 12:
                        packet = wrap_rtx(packet, payload_type=97, sequence=next(self._rtx) & 0xFFFF, ssrc=13)
                    self._to_relay(build_packet(packet))

    # --- the relay --------------------------------------------------------------------------------------------------
    def _tick(self) -> None:
        self.router.receive(self.twin.facts(), self.twin.sinks, int(self.now_s * 1e6))
        self._flush()

    def _lost(self, source: int, sequences: range, now_us: int) -> None:
        self.router.lost(source, sequences, now_us)
        self._flush()

    def _flush(self) -> None:
        while outputs := self.router.outputs():
            for output in outputs:
                match output:
                    case SendRtcp(peer, packet):
                        if peer == PUBLISHER:
                            found = [one for one in parse_compound(packet) if isinstance(one, Nack)]
                            self.asked += sum(len(one.sequences) for one in found)
                            self._carry(self.down, len(packet), lambda packet=packet: self._publisher_hears(packet))
                    case Close():
                        raise AssertionError(output)
                    case _ if type(output).__module__ == "media.kernel.table":
                        if isinstance(output, AddSink):
                            self._sinks[output.sink.kind] = output.sink
                        self.twin.apply((output,))
                    case _:
                        pass

    # --- the viewer -------------------------------------------------------------------------------------------------
    def _to_viewer(self, packet: bytes) -> None:
        self._carry(self.down, len(packet), lambda: self._viewer_hears(packet))

    def _viewer_hears(self, data: bytes) -> None:
        packet = parse_packet(data)
        audio, video = self._sinks["audio"], self._sinks["video"]
        if packet.ssrc == audio.ssrc:
            self.seen["audio"].take(packet.sequence, self.now_s)
            late = [one for one, at_s in self.seen["audio"].asked_s.items() if at_s < 0 or self.now_s - at_s < 0.1]
            for one in late:
                if self.seen["audio"].asked_s[one] < 0:
                    self.seen["audio"].asked_s[one] = self.now_s
            self._ask(audio.ssrc, late)
        elif packet.ssrc == video.ssrc:
            self.seen["video"].take(packet.sequence, self.now_s)
            self._ask_again()
        else:
            self.seen["video"].take(int.from_bytes(packet.payload[:2], "big"), self.now_s, again=True)

    def _ask_again(self) -> None:
        asked_s = self.seen["video"].asked_s
        due = [one for one, at_s in asked_s.items() if self.now_s - at_s >= ASK_AGAIN_S]
        asked_s.update(dict.fromkeys(due, self.now_s))
        self._ask(self._sinks["video"].ssrc, due)

    def _ask(self, ssrc: int, sequences: list[int]) -> None:
        if sequences:
            said = Nack(1, ssrc, tuple(one & 0xFFFF for one in sequences))
            self._carry(self.up, 60, lambda: self._relay_hears(said))

    def _report(self) -> None:
        blocks = tuple(
            ReportBlock(self._sinks[kind].ssrc, self.seen[kind].fraction_lost(), 0, 0, 0, 0, 0) for kind in self.seen
        )
        self._carry(self.up, 100, lambda: self._relay_hears(ReceiverReport(1, blocks)))

    def _relay_hears(self, said: Nack | ReceiverReport) -> None:
        self.router.receive_rtcp(VIEWER, (said,), self.twin.sinks, int(self.now_s * 1e6))
        self._flush()

    # --- how it went ------------------------------------------------------------------------------------------------
    def sound_late_s(self, since_s: float) -> list[float]:
        """From sending to hearing each piece of sound that was sent after `since_s` and a second before the end."""
        seen = self.seen["audio"].at_s
        return sorted(
            seen.get(sequence, float("inf")) - sent_s
            for sequence, (_, sent_s) in self.sent[11].items()
            if since_s <= sent_s < self.now_s - 1
        )

    def longest_freeze_s(self, since_s: float) -> float:
        """Longest time between two pictures that could be shown: each needs all of those before it."""
        seen, shown_s, last_s, longest_s = self.seen["video"].at_s, 0.0, None, 0.0
        for sequence, (packet, sent_s) in self.sent[12].items():
            if sequence < min(seen):
                continue
            if sent_s >= self.now_s - 1:
                break
            shown_s = max(shown_s, seen.get(sequence, float("inf")))
            if packet.marker and sent_s >= since_s:
                longest_s = max(longest_s, shown_s - last_s if last_s is not None else 0.0)
                last_s = shown_s
        return longest_s

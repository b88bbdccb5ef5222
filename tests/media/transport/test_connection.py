"""The whole transport with real sockets on loopback: a WebRTC client at one end, strangers around it."""

import asyncio
import contextlib
import socket
from dataclasses import replace

import pytest
from aiortc import rtcdtlstransport
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from media.rtp.packets import RtpPacket, build_packet, parse_packet
from media.rtp.rtcp import parse_compound
from media.rtp.rtcp_build import pli, receiver_report
from media.transport import stun, tcp
from media.transport.connection import Endpoint
from media.transport.sdp import Fingerprint, SlotTerms, answer_send, read_offer
from tests.media.corpora import mutations
from tests.media.transport.clients import browser, endpoint, until

HELLO = bytes.fromhex("16feff0000000000000000") + b"\0\4aaaa"
ALERT = bytes.fromhex("15fefd00000000000000000002022f")
PLAIN_RTP = build_packet(RtpPacket(96, 1, 1, 1000, b"x" * 40))


def terms(mid: str, kind: str) -> SlotTerms:
    return SlotTerms(1000 + int(mid), 2000 + int(mid) if kind == "video" else None, "us", "seat-0", f"seat-0-{kind}")


def opus(payload_type: int, count: int) -> list[bytes]:
    return [build_packet(RtpPacket(payload_type, n, n * 960, 1000, b"\xf8\xff\xfe")) for n in range(count)]


class Stranger:
    """A socket of nobody's."""

    def __init__(self, at: Endpoint) -> None:
        self.at = at
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)

    def __enter__(self) -> "Stranger":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    async def say(self, *datagrams: bytes) -> None:
        """Send, and wait until each was counted."""
        wanted = self.at.strangers + len(datagrams)
        for datagram in datagrams:
            self.socket.sendto(datagram, ("127.0.0.1", self.at.port))
        await until(lambda: self.at.strangers >= wanted)

    def heard(self) -> bool:
        try:
            return bool(self.socket.recv(2048))
        except BlockingIOError:
            return False


@pytest.fixture(params=["SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80"])
def profile(request, monkeypatch):
    """What the client offers besides; we prefer GCM."""
    offered = [p for p in rtcdtlstransport.SRTP_PROFILES if p.openssl_profile.decode() == request.param]
    monkeypatch.setattr(rtcdtlstransport, "SRTP_PROFILES", offered)
    return request.param


async def test_what_a_client_sends_arrives_in_the_clear_and_our_rtcp_goes_back(profile):
    async with endpoint() as at, browser(at) as one:
        one.peer.addTrack(AudioStreamTrack())
        one.peer.addTrack(VideoStreamTrack())
        answer = await one.send_connection()
        await until(
            lambda: {parse_packet(p).payload_type for p in one.rtp} >= {s.payload_type for s in answer.sections}
        )
        figures = one.connection.figures()
        assert (figures.profile, figures.path, figures.rejected) == (profile, "udp", 0)
        known = {ssrc for section in answer.sections for ssrc in section.ssrcs}
        assert {parse_packet(packet).ssrc for packet in one.rtp} <= known | {
            rtx for section in answer.sections for rtx in section.ssrcs.values() if rtx is not None
        }
        await until(lambda: one.rtcp)
        assert all(parse_compound(packet) for packet in one.rtcp)
        (video,) = answer.sections[1].ssrcs
        keyframes = sum(parse_packet(p).ssrc == video for p in one.rtp)
        one.connection.send_rtcp(receiver_report(1) + pli(1, video))
        await until(lambda: sum(parse_packet(p).ssrc == video for p in one.rtp) > keyframes)
        assert at.strangers == 0 and one.connection.last_received_us > 0


async def test_what_we_send_is_heard_by_a_client(profile):
    async with endpoint() as at, browser(at) as one:
        one.peer.addTransceiver("audio", direction="recvonly")
        one.peer.addTransceiver("video", direction="recvonly")
        answer = await one.receive_connection(terms)
        await asyncio.wait_for(one.ready.wait(), 10)
        assert one.connection.figures().profile == profile
        payload_type, _ = answer.slots[0].codecs["opus"]
        for packet in opus(payload_type, 60):
            one.connection.sendto(one.connection.protect(packet), one.connection.address)
        frame = await asyncio.wait_for(one.peer.getReceivers()[0].track.recv(), 10)
        assert frame.sample_rate == 48000


async def test_gcm_is_taken_where_both_are_offered():
    async with endpoint() as at, browser(at) as one:
        one.peer.addTrack(AudioStreamTrack())
        await one.send_connection()
        await asyncio.wait_for(one.ready.wait(), 10)
        assert one.connection.figures().profile == "SRTP_AEAD_AES_128_GCM"
        keys = one.connection.keys
        assert keys is not None and len(keys.receive) == len(keys.send) == 28 and keys.receive != keys.send


async def test_strangers_change_nothing_before_during_and_after_set_up():
    noise = [HELLO, ALERT, PLAIN_RTP, b"\x80\xc8" + bytes(26), bytes(range(64, 256)), b"GET / HTTP/1.1\r\n"]
    async with endpoint() as at, browser(at) as one:
        with Stranger(at) as stranger:
            await stranger.say(*noise)
            one.peer.addTrack(AudioStreamTrack())
            negotiation = asyncio.ensure_future(one.send_connection())
            while not one.ready.is_set():
                await stranger.say(*noise)
            await negotiation
            await until(lambda: len(one.rtp) > 5)
            await stranger.say(*noise)
            assert not stranger.heard()
        figures = one.connection.figures()
        assert (figures.dtls_restarts, figures.migrations, figures.rejected, figures.paths) == (0, 0, 0, 1)
        assert not one.closed.is_set() and at.figures().adopted == 0
        came = len(one.rtp)
        await until(lambda: len(one.rtp) > came)


async def test_a_wrong_password_never_binds():
    async with endpoint() as at, browser(at) as one:
        one.peer.addTrack(AudioStreamTrack())
        wrong = replace(one.connection.local, password="0" * 32)
        negotiation = asyncio.ensure_future(one.send_connection(wrong))
        await until(lambda: at.strangers >= 2)
        assert one.connection.figures().paths == 0 and not one.ready.is_set()
        negotiation.cancel()


async def test_a_wrong_certificate_never_becomes_ready():
    async with endpoint() as at, browser(at) as one:
        one.peer.addTrack(AudioStreamTrack())
        offer = read_offer(await one.offer())
        one.connection.set_remote(Fingerprint("sha-256", ":".join(["00"] * 32)))
        await one.answered(answer_send(offer, one.connection.local).text)
        await asyncio.wait_for(one.closed.wait(), 10)
        assert not one.ready.is_set() and not one.connection.ready and one.connection.keys is None
        assert at.figures().connections == 0


async def test_a_certificate_is_waited_for():
    async with endpoint() as at, browser(at) as one:
        one.peer.addTrack(AudioStreamTrack())
        offer = read_offer(await one.offer())
        await one.answered(answer_send(offer, one.connection.local).text)
        await until(lambda: one.peer.connectionState == "connected")
        assert not one.connection.ready
        one.connection.set_remote(offer.fingerprint)
        assert one.ready.is_set() and one.connection.ready


async def test_goodbyes_are_heard_both_ways():
    async with endpoint() as at, browser(at) as one, browser(at) as other:
        for each in (one, other):
            each.peer.addTrack(AudioStreamTrack())
            await each.send_connection()
            await asyncio.wait_for(each.ready.wait(), 10)
        await one.peer.close()
        await asyncio.wait_for(one.closed.wait(), 10)
        other.connection.close()
        await until(lambda: other.peer.connectionState == "closed")
        assert not other.closed.is_set() and at.figures().connections == 0


async def test_media_from_a_new_address_takes_the_connection_along_and_a_replay_does_not():
    async with endpoint() as at, browser(at) as one:
        one.peer.addTrack(AudioStreamTrack())
        await one.send_connection()
        await until(lambda: len(one.rtp) > 3)
        home = one.connection.address
        sender = one.peer.getSenders()[0].transport
        withheld: list[bytes] = []
        send = sender.transport._send

        async def lossy(data: bytes) -> None:
            if 128 <= data[0] < 192 and not 192 <= data[1] <= 223:
                withheld.append(data)  # lost on its way: it will come by another
            else:
                await send(data)

        sender.transport._send = lossy
        await until(lambda: withheld)
        sender.transport._send = send
        packet = withheld[-1]
        with Stranger(at) as moved:
            moved.socket.sendto(packet, ("127.0.0.1", at.port))
            await until(lambda: one.connection.address != home)
            assert one.connection.address[1] == moved.socket.getsockname()[1]
            assert at.figures().adopted == 1
            with Stranger(at) as replaying:
                await replaying.say(packet)
                assert one.connection.address[1] != replaying.socket.getsockname()[1]


async def test_mutated_checks_over_a_checked_path_break_nothing():
    async with endpoint() as at, browser(at) as one:
        one.peer.addTrack(AudioStreamTrack())
        await one.send_connection()
        await until(lambda: len(one.rtp) > 3)
        ufrag = one.connection.local.ufrag.encode()
        check = stun.build_message(1, bytes(12), ((stun.USERNAME, ufrag + b":x"),), key=b"wrong")
        for data in mutations([check, HELLO, ALERT, PLAIN_RTP], each=150):
            at._receive_datagram(data, one.connection.address, 1)
        came = len(one.rtp)
        await until(lambda: len(one.rtp) > came)
        assert one.connection.ready


async def test_tcp_carries_a_check_and_strangers_are_cut_off():
    async with endpoint() as at, browser(at) as one:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(b"\0\4abcd")
        assert await asyncio.wait_for(reader.read(10), 5) == b""
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        local = one.connection.local
        check = stun.build_message(
            stun.BINDING_REQUEST,
            bytes(12),
            ((stun.USERNAME, f"{local.ufrag}:x".encode()), (stun.USE_CANDIDATE, b"")),
            key=local.password.encode(),
        )
        framed = len(check).to_bytes(2, "big") + check
        writer.write(framed[:7])
        await writer.drain()
        writer.write(framed[7:])
        size = int.from_bytes(await asyncio.wait_for(reader.readexactly(2), 5), "big")
        answer = stun.parse_message(await asyncio.wait_for(reader.readexactly(size), 5))
        assert stun.read_xor_address(answer) == writer.get_extra_info("sockname")
        assert one.connection.figures().path == "tcp"
        one.connection.close()
        assert await asyncio.wait_for(reader.read(10), 5) == b""
        writer.close()


async def test_connections_that_say_nothing_are_bounded(monkeypatch):
    monkeypatch.setattr(tcp, "MOST_STRANGERS", 2)
    async with endpoint() as at:
        waiting = [await asyncio.open_connection("127.0.0.1", at.port) for _ in range(2)]
        await until(lambda: len(at._tcp_strangers) == 2)
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(1), 5) == b""
        for _, each in [*waiting, (reader, writer)]:
            each.close()
        await until(lambda: not at._tcp_strangers)


async def test_both_ports_are_one_number_and_a_taken_one_is_said():
    async with endpoint() as at:
        assert all(f" {at.port} typ host" in candidate for candidate in at.candidates)
        with pytest.raises(OSError):
            await Endpoint("127.0.0.1", at.port).start()


async def test_every_advertised_address_is_a_candidate_in_order():
    at = Endpoint("127.0.0.1", 7000, ("192.0.2.1", "2001:db8::1"))
    udp = [candidate.split() for candidate in at.candidates if " udp " in candidate]
    assert [candidate[4] for candidate in udp] == ["192.0.2.1", "2001:db8::1"]
    assert int(udp[0][3]) > int(udp[1][3])
    assert sum("tcptype passive" in candidate for candidate in at.candidates) == 2

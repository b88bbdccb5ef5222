"""What the relay uses: an endpoint on one port, and a connection for each of a browser's two.

Theory of operation. A datagram's address names its connection (`Demultiplexer.by_key`); the first byte says what it is
(RFC 7983 §7): STUN goes to ICE, DTLS to the handshake, the rest is unprotected and handed on. Media flows once a path
was checked, the handshake is done and the certificate is the SDP's. The hot path out is three attributes, read afresh
for each packet because a browser may move: `sendto(protect(packet), address)`.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from media.transport.dtls import Certificate, DtlsServer, State
from media.transport.ice import Demultiplexer, Key, Reply
from media.transport.sdp import LocalTransport
from media.transport.sdp_structure import Fingerprint
from media.transport.srtp import SrtpKeys, SrtpReceiver, SrtpSender
from media.transport.tcp import TcpPath, listen_tcp
from media.transport.udp import UdpReader, open_udp

OnPacket = Callable[[bytes, int], None]
"""(plain packet, now in µs of the monotonic clock)"""


@dataclass(frozen=True, slots=True)
class ConnectionFigures:
    """For metrics: `profile` is "" until ready; `rejected` counts SRTP that failed to authenticate or was repeated."""

    path: str
    profile: str
    paths: int
    migrations: int
    rejected: int
    dtls_restarts: int


@dataclass(frozen=True, slots=True)
class EndpointFigures:
    """For metrics: datagrams of strangers, good checks, checks refused, paths adopted by media, connections now."""

    strangers: int
    checks: int
    refused: int
    adopted: int
    connections: int


def _not_ready(_packet: bytes) -> bytes:
    raise BlockingIOError("no keys yet")


def _nowhere(_data: bytes, _address: object) -> int:
    raise BlockingIOError("no path yet")


class Connection:
    """One browser connection: ICE agent, DTLS and SRTP. Made by `Endpoint.create_connection`.

    Egress: while `ready`, `sendto(protect(rtp), address)` sends one RTP packet; a full buffer is an OSError. The three
    attributes change when the browser moves. `last_received_us` is the time of the last good check or packet.
    """

    __slots__ = (
        "_agent",
        "_closed",
        "_dtls",
        "_endpoint",
        "_known",
        "_on_closed",
        "_on_ready",
        "_on_rtcp",
        "_on_rtp",
        "_protect_rtcp",
        "_receiver",
        "_rejected",
        "_sender",
        "_timer",
        "_unprotect",
        "_unprotect_rtcp",
        "address",
        "last_packet_us",
        "protect",
        "ready",
        "sendto",
    )

    def __init__(
        self,
        endpoint: "Endpoint",
        on_ready: Callable[[], None],
        on_rtp: OnPacket,
        on_rtcp: OnPacket,
        on_closed: Callable[[], None],
    ) -> None:
        self._endpoint = endpoint
        self._on_ready, self._on_rtp, self._on_rtcp, self._on_closed = on_ready, on_rtp, on_rtcp, on_closed
        self._agent = endpoint.demultiplexer.create_agent(self._receive, self._moved)
        self._dtls = DtlsServer(endpoint.certificate)
        self._receiver: SrtpReceiver | None = None
        self._sender: SrtpSender | None = None
        self._known: set[bytes] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._rejected = 0
        self.last_packet_us = 0
        self.ready = False
        self.address: Any = None
        self.sendto: Callable[[bytes, Any], Any] = _nowhere
        self.protect: Callable[[bytes], bytes] = _not_ready
        self._protect_rtcp: Callable[[bytes], bytes] = _not_ready
        self._unprotect: Callable[[bytes], bytes | None] = lambda _: None
        self._unprotect_rtcp: Callable[[bytes], bytes | None] = lambda _: None

    @property
    def local(self) -> LocalTransport:
        """Our end, for the answer."""
        endpoint = self._endpoint
        return LocalTransport(
            self._agent.ufrag, self._agent.password, endpoint.certificate.fingerprint, endpoint.candidates
        )

    @property
    def last_received_us(self) -> int:
        """Time of the last good check or authenticated packet, 0 before the first."""
        return max(self.last_packet_us, self._agent.checked_us)

    @property
    def keys(self) -> SrtpKeys | None:
        """What a native kernel needs to take the ciphers over; None until ready."""
        return self._dtls.keys

    def set_remote(self, fingerprint: Fingerprint) -> None:
        """The certificate that the browser's SDP names. Media waits for it."""
        self._dtls.set_remote(fingerprint)
        self._progress()

    def send_rtp(self, packet: bytes) -> None:
        """Protect and send one RTP packet; dropped where there are no keys, no path or no room."""
        with contextlib.suppress(OSError):
            self.sendto(self.protect(packet), self.address)

    def send_rtcp(self, packet: bytes) -> None:
        """Protect and send one compound; dropped where there are no keys, no path or no room."""
        with contextlib.suppress(OSError):
            self.sendto(self._protect_rtcp(packet), self.address)

    def figures(self) -> ConnectionFigures:
        """For metrics and for the console."""
        keys = self._dtls.keys
        return ConnectionFigures(
            path="" if self._agent.selected is None else "tcp" if self.address is None else "udp",
            profile=keys.profile.name if keys is not None else "",
            paths=len(self._agent.paths),
            migrations=self._agent.migrations,
            rejected=self._rejected,
            dtls_restarts=self._dtls.figures.restarts,
        )

    def close(self) -> None:
        """Say goodbye and forget everything; `on_closed` is not called. Closing twice is nothing."""
        if self._closed:
            return
        self._closed = True
        self.ready = False
        self._send_all(self._dtls.close())
        if self._timer is not None:
            self._timer.cancel()
        self._endpoint.forget(self)
        self.protect = self._protect_rtcp = _not_ready
        self.sendto, self.address = _nowhere, None

    # --- inside ------------------------------------------------------------------------------------------------------
    def _receive(self, data: bytes, now_us: int) -> bool:
        """What came by a checked path, or by one that would like to be adopted. Whether it authenticated."""
        first = data[0]
        if 128 <= first < 192:
            if not self.ready or len(data) < 12:
                return False
            if 192 <= data[1] <= 223:
                plain, ssrc, deliver = self._unprotect_rtcp(data), data[4:8], self._on_rtcp
            else:
                plain, ssrc, deliver = self._unprotect(data), data[8:12], self._on_rtp
            if plain is None:
                self._rejected += 1
                return False
            self.last_packet_us = now_us
            if ssrc not in self._known and len(self._known) < 64:
                self._known.add(ssrc)
                self._endpoint.demultiplexer.learn(self._agent, ssrc)
            deliver(plain, now_us)
            return True
        if 20 <= first < 64:
            self._send_all(self._dtls.receive(data))
            self._progress()
        return False

    def _moved(self, key: Key | None) -> None:
        if key is None:
            self.sendto, self.address = _nowhere, None
        elif isinstance(key, TcpPath):
            self.sendto, self.address = key.sendto, None
        else:
            self.sendto, self.address = self._endpoint.sendto, key

    def _send_all(self, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                self.sendto(datagram, self.address)

    def _progress(self) -> None:
        """After anything that may have moved the handshake: arm its timer, take the keys, or give up."""
        if self._closed:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        timeout_s = self._dtls.next_timeout_s()
        if timeout_s is not None:
            # OpenSSL resends nothing if it is asked a moment too early.
            self._timer = asyncio.get_running_loop().call_later(timeout_s + 0.01, self._timed_out)
        if self._dtls.state in (State.CLOSED, State.FAILED):
            self.close()
            self._on_closed()
        elif self._dtls.keys is not None and not self.ready:
            self._receiver, self._sender = SrtpReceiver(self._dtls.keys), SrtpSender(self._dtls.keys)
            self._unprotect, self._unprotect_rtcp = self._receiver.unprotect, self._receiver.unprotect_rtcp
            self.protect, self._protect_rtcp = self._sender.protect, self._sender.protect_rtcp
            self.ready = True
            self._on_ready()

    def _timed_out(self) -> None:
        self._send_all(self._dtls.handle_timeout())
        self._progress()


class Endpoint:
    """One UDP and one TCP port for every browser of a relay process.

    `advertised` are the addresses that browsers are told, several where there are several networks; where it is empty
    the listening address is told. Port 0 takes a free one.
    """

    def __init__(
        self,
        listen_address: str,
        port: int,
        advertised: tuple[str, ...] = (),
        certificate: Certificate | None = None,
    ) -> None:
        self.listen_address, self.port = listen_address, port
        self.advertised = advertised or (listen_address,)
        self.certificate = certificate or Certificate()
        self.demultiplexer = Demultiplexer()
        self.sendto: Callable[[bytes, Any], Any] = _nowhere
        self._connections: set[Connection] = set()
        self._by_key = self.demultiplexer.by_key
        self._udp: UdpReader | None = None
        self._tcp: asyncio.Server | None = None
        self._streams: set[TcpPath] = set()
        self._tcp_strangers: set[TcpPath] = set()

    async def start(self) -> None:
        """Bind both ports. Raises OSError where one is taken."""
        # A free UDP port's number may be taken in TCP: with port 0 there are others to try.
        attempts = 1 if self.port else 20
        while True:
            attempts -= 1
            udp = open_udp(self.listen_address, self.port)
            port = udp.getsockname()[1]
            try:
                self._tcp = await listen_tcp(
                    self.listen_address, port, self._receive_frame, self._stream_closed, self._tcp_strangers
                )
                break
            except OSError:
                udp.close()
                if not attempts:
                    raise
        self.port = port
        self.sendto = udp.sendto
        self._udp = UdpReader(udp, self._receive_datagram)

    async def close(self) -> None:
        """Say goodbye to every browser and let the ports go."""
        for connection in list(self._connections):
            connection.close()
        if self._tcp is not None:
            self._tcp.close()
            for stream in [*self._streams, *self._tcp_strangers]:
                stream.close()
            await self._tcp.wait_closed()
        if self._udp is not None:
            self._udp.close()
            self.sendto = _nowhere

    def create_connection(
        self,
        *,
        on_ready: Callable[[], None],
        on_rtp: OnPacket,
        on_rtcp: OnPacket,
        on_closed: Callable[[], None],
    ) -> Connection:
        """A connection that waits for its browser. `on_ready` and `on_closed` come at most once each.

        `on_closed` comes when the browser said goodbye, or its certificate was not the SDP's.
        """
        connection = Connection(self, on_ready, on_rtp, on_rtcp, on_closed)
        self._connections.add(connection)
        return connection

    @property
    def candidates(self) -> tuple[str, ...]:
        """Values of `a=candidate` (RFC 8839 §5.1): UDP first; TCP (RFC 6544) where a network lets no UDP out."""
        lines = []
        for index, address in enumerate(self.advertised):
            # RFC 8445 §5.1.2.1: type preference 126 for both, local preference falling with the order.
            udp, tcp = 2130706431 - (index << 8), 1671430143 - (index << 8)
            lines.append(f"{2 * index + 1} 1 udp {udp} {address} {self.port} typ host")
            lines.append(f"{2 * index + 2} 1 tcp {tcp} {address} {self.port} typ host tcptype passive")
        return tuple(lines)

    @property
    def strangers(self) -> int:
        """Datagrams and frames that belonged to nobody."""
        return self.demultiplexer.figures.stranger

    def figures(self) -> EndpointFigures:
        """For metrics."""
        figures = self.demultiplexer.figures
        return EndpointFigures(
            figures.stranger, figures.checks, figures.refused, figures.adopted, len(self._connections)
        )

    def forget(self, connection: Connection) -> None:
        """Drop a connection that closes; its TCP streams end with it."""
        self._connections.discard(connection)
        for key in self.demultiplexer.remove_agent(connection._agent):
            if isinstance(key, TcpPath):
                key.close()

    def _receive_datagram(self, data: bytes, address: tuple[str, int], now_us: int) -> None:
        agent = self._by_key.get(address)
        if agent is not None and data and data[0] > 3:
            agent.receive(data, now_us)
            return
        reply = self.demultiplexer.receive(data, address, address, now_us, datagram=True)
        if reply is not None:
            with contextlib.suppress(OSError):
                self.sendto(reply.data, address)

    def _receive_frame(self, data: bytes, path: TcpPath, now_us: int) -> bool:
        self._streams.add(path)
        reply: Reply | None = self.demultiplexer.receive(data, path, path.source, now_us, datagram=False)
        if reply is not None:
            with contextlib.suppress(BlockingIOError):
                path.sendto(reply.data, None)
        return path in self._by_key

    def _stream_closed(self, path: TcpPath) -> None:
        self._streams.discard(path)
        self.demultiplexer.unbind(path)

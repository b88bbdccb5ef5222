"""A client of the load: ICE and DTLS by aiortc, then only its socket and its keys, which the load takes over.

aiortc's senders and receivers never start: they cost more than the servers that are measured. What is left of a
browser is what a server needs to see: media, receiver reports (see `receiver`), and a check of the path every few
seconds (`keep_alive`), without which a server drops a connection as silent.
"""

import asyncio
import secrets
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aioice import Candidate, stun
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM
from aiortc.sdp import MediaDescription, candidate_to_sdp
from pylibsrtp import Policy, Session

from tests.load.peers.sdp import Local

CONNECT_WITHIN_S = 15.0
CHECK_EVERY_S = 2.5
"""As Chromium does."""
PROFILE = SRTP_AEAD_AES_128_GCM
"""The one SRTP profile offered to every server, so that all pay for the same cipher."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Master key and salt of each direction (RFC 5764 §4.2)."""

    transmit: bytes
    receive: bytes


def transmit_session(keys: Keys) -> Session:
    """SRTP for what we send."""
    return Session(Policy(keys.transmit, Policy.SSRC_ANY_OUTBOUND, srtp_profile=PROFILE.libsrtp_profile))


def receive_session(keys: Keys) -> Session:
    """SRTP for what we are sent."""
    return Session(Policy(keys.receive, Policy.SSRC_ANY_INBOUND, srtp_profile=PROFILE.libsrtp_profile))


@dataclass(frozen=True, slots=True)
class Link:
    """A connection that was taken over: whoever holds it owns its socket."""

    socket: socket.socket
    remote: tuple[str, int]
    keys: Keys
    username: str
    remote_password: str
    controlling: bool

    def check(self) -> None:
        """Send one STUN binding request (RFC 8445 §7.2.2); nobody reads the answer."""
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        request.attributes["USERNAME"] = self.username
        request.attributes["PRIORITY"] = 1845501695  # peer-reflexive (RFC 8445 §5.1.2)
        request.attributes["ICE-CONTROLLING" if self.controlling else "ICE-CONTROLLED"] = secrets.randbits(64)
        request.add_message_integrity(self.remote_password.encode())
        request.add_fingerprint()
        self.socket.sendto(bytes(request), self.remote)


class Client:
    """One connection in the making. `address` is the only local address it uses."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._gatherer = RTCIceGatherer(iceServers=[])
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = RTCDtlsTransport(self._ice, [RTCCertificate.generateCertificate()])
        self._dtls._srtp_profiles = [PROFILE]

    async def local(self) -> Local:
        """Our end of the transport."""
        # Not `gather`: it leaves 127.0.0.1 out, and would use whatever else this machine has.
        connection = self._gatherer._connection
        found: list[Candidate] = await connection.get_component_candidates(component=1, addresses=[self._address])
        connection._local_candidates = found
        connection._local_candidates_start = connection._local_candidates_end = True
        parameters = self._gatherer.getLocalParameters()
        digest = next(f for f in self._dtls.getLocalParameters().fingerprints if f.algorithm == "sha-256")
        return Local(
            ufrag=str(parameters.usernameFragment),
            password=str(parameters.password),
            fingerprint=f"{digest.algorithm} {digest.value}",
            candidates=tuple(candidate_to_sdp(candidate) for candidate in self._gatherer.getLocalCandidates()),
            address=found[0].host,
            port=found[0].port,
        )

    async def connect(self, remote: MediaDescription, *, offered: bool) -> Link:
        """Reach the server by its (first) section, and take the connection over. `offered`: the offer was ours.

        Raise ConnectionError or TimeoutError.
        """
        assert remote.ice is not None and remote.dtls is not None
        connection = self._gatherer._connection
        connection.ice_controlling = offered
        for candidate in remote.ice_candidates:
            if candidate.protocol.lower() == "udp":
                await self._ice.addRemoteCandidate(candidate)
        await self._ice.addRemoteCandidate(None)
        # RFC 8842 §5: the answerer of an `actpass` chooses; we answer `active`.
        self._dtls._set_role("server" if offered and remote.dtls.role == "client" else "client")
        async with asyncio.timeout(CONNECT_WITHIN_S):
            await self._ice.start(remote.ice)
            if self._ice.state != "completed":
                raise ConnectionError(f"ICE is {self._ice.state}")
            await self._dtls.start(remote.dtls)
        if self._dtls.state != "connected":
            raise ConnectionError(f"DTLS is {self._dtls.state}")
        return await self._take_over(offered)

    async def _take_over(self, offered: bool) -> Link:
        connection = self._gatherer._connection
        pair = connection._nominated[1]
        held = pair.protocol.transport.get_extra_info("socket")
        taken = socket.socket(held.family, held.type, fileno=held.dup().detach())
        keys = self._keys()
        username = f"{connection.remote_username}:{connection.local_username}"
        link = Link(taken, pair.remote_addr, keys, username, str(connection.remote_password), offered)
        await self._ice.stop()  # closes its own descriptor of the socket and says nothing to the server
        return link

    def _keys(self) -> Keys:
        length = PROFILE.key_length + PROFILE.salt_length
        assert self._dtls._ssl is not None
        material = self._dtls._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * length)
        client, server = (PROFILE.get_key_and_salt(material, which) for which in (0, 1))
        return Keys(server, client) if self._dtls._role == "server" else Keys(client, server)


async def keep_alive(links: Sequence[Link]) -> None:
    """Check every path again and again, spread over time, until cancelled."""
    while True:
        for link in links:
            link.check()
            await asyncio.sleep(CHECK_EVERY_S / len(links))


def close_all(links: Iterable[Link]) -> None:
    """Let the sockets go."""
    for link in links:
        link.socket.close()

"""DTLS-SRTP, always the passive side (RFC 5764, RFC 8842), on memory BIOs: datagrams in, datagrams out.

Theory of operation. `receive` is fed datagrams of checked paths only and returns what to send. The browser's handshake
may end before or after its SDP is known; keys are handed out once both are there and the certificate's fingerprint is
the one of the SDP. Nothing before the end of the handshake is authenticated: an alert, or anything else that OpenSSL
stumbles over, starts the handshake over instead of failing. The time is OpenSSL's own; the shell asks `next_timeout_s`
after each call and comes back with `handle_timeout`.
"""

import datetime
import secrets
from dataclasses import dataclass
from enum import Enum, auto

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from media.transport.sdp_structure import Fingerprint
from media.transport.srtp import PROFILES, SrtpKeys

MTU_BYTES = 1200
_RECORD_HEADER_BYTES = 13
_DTLS_1_2 = 0xFEFD
_CIPHERS = b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "sha-256": hashes.SHA256(),
    "sha-384": hashes.SHA384(),
    "sha-512": hashes.SHA512(),
}


class Certificate:
    """The self-signed certificate of one relay process; `fingerprint` goes into its answers (RFC 8122)."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, secrets.token_hex(16))])
        now = datetime.datetime.now(tz=datetime.UTC)
        # Nobody reads the dates (the fingerprint is the trust); they only have to hold while the process lives.
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=365))
            .sign(key, hashes.SHA256())
        )
        self.fingerprint = fingerprint_of(certificate, "sha-256")
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.set_min_proto_version(_DTLS_1_2)
        self.context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_QUERY_MTU)
        self.context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        # Every certificate is taken here; it is the fingerprint that is checked, when the SDP is known.
        self.context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        self.context.use_certificate(certificate)
        self.context.use_privatekey(key)
        self.context.set_cipher_list(_CIPHERS)
        self.context.set_tlsext_use_srtp(":".join(profile.name for profile in PROFILES).encode())


def fingerprint_of(certificate: x509.Certificate, algorithm: str) -> Fingerprint:
    """The digest of a certificate; `algorithm` is one of sha-256, sha-384, sha-512."""
    return Fingerprint(algorithm, certificate.fingerprint(_DIGESTS[algorithm]).hex(":").upper())


class State(Enum):
    """Where a transport is. READY and after it CLOSED; FAILED where the fingerprint or the profile did not fit."""

    HANDSHAKE = auto()
    READY = auto()
    CLOSED = auto()
    FAILED = auto()


@dataclass(slots=True)
class DtlsFigures:
    """How often the handshake started over, and datagrams that were no whole DTLS records."""

    restarts: int = 0
    garbage: int = 0


class DtlsServer:
    """One association. `keys` is there in state READY."""

    def __init__(self, certificate: Certificate) -> None:
        self.state = State.HANDSHAKE
        self.keys: SrtpKeys | None = None
        self.figures = DtlsFigures()
        self._certificate = certificate
        self._remote: Fingerprint | None = None
        self._start()

    def _start(self) -> None:
        self._ssl = SSL.Connection(self._certificate.context)
        self._ssl.set_accept_state()
        self._ssl.set_ciphertext_mtu(MTU_BYTES)
        self._shaken = False

    def set_remote(self, fingerprint: Fingerprint) -> None:
        """The fingerprint that the SDP gave; may come before or after the handshake."""
        self._remote = fingerprint
        self._conclude()

    def receive(self, data: bytes) -> list[bytes]:
        """One datagram in, those to send out. Never raises for what the peer sent."""
        if self.state in (State.CLOSED, State.FAILED):
            return []
        if not is_whole_records(data):
            # The BIO is a stream: half a record would swallow the beginning of the next datagram.
            self.figures.garbage += 1
            return []
        self._ssl.bio_write(data)
        try:
            if not self._shaken:
                self._ssl.do_handshake()
                self._shaken = True
            else:
                self._ssl.recv(2048)
        except SSL.WantReadError:
            pass
        except (SSL.Error, SSL.ZeroReturnError):
            if not self._shaken:
                self.figures.restarts += 1
                self._start()
                return []
            self.state = State.CLOSED
            return []
        out = self._drain()
        self._conclude()
        return out

    def next_timeout_s(self) -> float | None:
        """Seconds until `handle_timeout` is due, None while no flight of ours waits for an answer."""
        if self._shaken or self.state is not State.HANDSHAKE:
            return None
        timeout: float | None = self._ssl.DTLSv1_get_timeout()
        return timeout

    def handle_timeout(self) -> list[bytes]:
        """The last flight again, where it is due (RFC 6347 §4.2.4); starts over after OpenSSL's limit."""
        if self._shaken:
            return []
        try:
            self._ssl.DTLSv1_handle_timeout()
        except SSL.Error:
            self.figures.restarts += 1
            self._start()
            return []
        return self._drain()

    def close(self) -> list[bytes]:
        """Say goodbye (close_notify); afterwards everything is dropped."""
        if self.state in (State.CLOSED, State.FAILED):
            return []
        self.state = State.CLOSED
        if not self._shaken:
            return []
        try:
            self._ssl.shutdown()
        except SSL.Error:
            return []
        return self._drain()

    def _drain(self) -> list[bytes]:
        """Flights in datagrams of at most 1,200 bytes, cut between records (a record cut in two is lost)."""
        try:
            flight = self._ssl.bio_read(65536)
        except SSL.WantReadError:
            return []
        datagrams: list[bytes] = []
        current = b""
        position = 0
        while position < len(flight):
            size = _RECORD_HEADER_BYTES + int.from_bytes(flight[position + 11 : position + 13], "big")
            if current and len(current) + size > MTU_BYTES:
                datagrams.append(current)
                current = b""
            current += flight[position : position + size]
            position += size
        datagrams.append(current)
        return datagrams

    def _conclude(self) -> None:
        if not self._shaken or self._remote is None or self.state is not State.HANDSHAKE:
            return
        certificate = self._ssl.get_peer_certificate(as_cryptography=True)
        name = self._ssl.get_selected_srtp_profile().decode()
        profile = next((profile for profile in PROFILES if profile.name == name), None)
        if certificate is None or profile is None:
            self.state = State.FAILED
            return
        if fingerprint_of(certificate, self._remote.algorithm) != self._remote:
            self.state = State.FAILED
            return
        key, salt = profile.key_bytes, profile.salt_bytes
        # RFC 5764 §4.2: client key, server key, client salt, server salt.
        material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        self.keys = SrtpKeys(
            profile,
            receive=material[:key] + material[2 * key : 2 * key + salt],
            send=material[key : 2 * key] + material[2 * key + salt :],
        )
        self.state = State.READY


def is_whole_records(data: bytes) -> bool:
    """Whether a datagram is one or more DTLS records and nothing else (RFC 6347 §4.1)."""
    position = 0
    while position < len(data):
        if len(data) - position < _RECORD_HEADER_BYTES or not 20 <= data[position] <= 63:
            return False
        position += _RECORD_HEADER_BYTES + int.from_bytes(data[position + 11 : position + 13], "big")
    return position == len(data) > 0

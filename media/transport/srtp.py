"""SRTP in one direction (RFC 3711, RFC 7714) on libsrtp, with no more Python around it than a packet needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

REPLAY_WINDOW = 1024
"""Packets: retransmissions and bursts at 10 Mbit/s stay inside for a second."""
_BUFFER_BYTES = 4096
"""The largest datagram that the shells take is 2,048 bytes; a rewritten header and a tag fit besides."""
_MOST_BYTES = _BUFFER_BYTES - 160


@dataclass(frozen=True, slots=True)
class Profile:
    """A protection profile: its name in DTLS (RFC 5764 §4.1.2), libsrtp's number, sizes in bytes."""

    name: str
    libsrtp: int
    key_bytes: int
    salt_bytes: int


# In the order of our preference, which is what decides: GCM is the faster by far (RFC 7714).
PROFILES = (
    Profile("SRTP_AEAD_AES_128_GCM", Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    Profile("SRTP_AES128_CM_SHA1_80", Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
)


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """What the handshake agreed on. Each key is master key and salt in one; never log it."""

    profile: Profile
    receive: bytes
    send: bytes


class NotSealed(OSError):
    """libsrtp would not protect a packet: no RTP, too long, or a number too far behind. It is not sent, as an OSError
    of the socket would have it.
    """


class SrtpReceiver:
    """Unprotects the packets of one peer; any SSRC, each with its own replay window."""

    __slots__ = ("_session", "unprotect", "unprotect_rtcp")

    unprotect: Callable[[bytes], bytes | None]
    unprotect_rtcp: Callable[[bytes], bytes | None]

    def __init__(self, keys: SrtpKeys) -> None:
        self._session = _session(keys.profile, keys.receive, Policy.SSRC_ANY_INBOUND)
        self.unprotect = _opener(self._session, lib.srtp_unprotect)
        self.unprotect_rtcp = _opener(self._session, lib.srtp_unprotect_rtcp)


class SrtpSender:
    """Protects the packets for one peer; a sequence number may be repeated (a resend is byte for byte the same)."""

    __slots__ = ("_session", "protect", "protect_rtcp")

    protect: Callable[[bytes], bytes]
    protect_rtcp: Callable[[bytes], bytes]

    def __init__(self, keys: SrtpKeys) -> None:
        self._session = _session(keys.profile, keys.send, Policy.SSRC_ANY_OUTBOUND)
        self.protect = _sealer(self._session, lib.srtp_protect)
        self.protect_rtcp = _sealer(self._session, lib.srtp_protect_rtcp)


def _session(profile: Profile, key: bytes, direction: int) -> Session:
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile.libsrtp)
    policy.allow_repeat_tx = True
    policy.window_size = REPLAY_WINDOW
    return Session(policy)


# pylibsrtp's own methods take 1,500 bytes at most with the tag and allocate for each packet; closures over one buffer
# take more and cost about a microsecond less.
def _opener(session: Session, function: Any) -> Callable[[bytes], bytes | None]:
    context, memory, size = session._srtp[0], ffi.new("char[]", _BUFFER_BYTES), ffi.new("int *")
    buffer = ffi.buffer(memory)

    def open_packet(packet: bytes) -> bytes | None:
        """The plain packet; None where it does not authenticate or was here before."""
        length = len(packet)
        if length > _MOST_BYTES:
            return None
        buffer[0:length] = packet
        size[0] = length
        if function(context, memory, size):
            return None
        plain: bytes = buffer[0 : size[0]]
        return plain

    return open_packet


def _sealer(session: Session, function: Any) -> Callable[[bytes], bytes]:
    context, memory, size = session._srtp[0], ffi.new("char[]", _BUFFER_BYTES), ffi.new("int *")
    buffer = ffi.buffer(memory)

    def seal_packet(packet: bytes) -> bytes:
        """The protected packet. Raises NotSealed."""
        length = len(packet)
        if length > _MOST_BYTES:
            raise NotSealed("packet is too long")
        buffer[0:length] = packet
        size[0] = length
        if status := function(context, memory, size):
            raise NotSealed(f"libsrtp refused: {status}")
        sealed: bytes = buffer[0 : size[0]]
        return sealed

    return seal_packet

"""What SRTP does with packets that it will not seal or open."""

import os

import pytest

from media.rtp.packets import RtpPacket, build_packet
from media.transport.srtp import PROFILES, NotSealed, SrtpKeys, SrtpReceiver, SrtpSender


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_what_cannot_be_sealed_is_an_error_of_sending_and_the_next_packet_goes(profile: object) -> None:
    key = os.urandom(profile.key_bytes + profile.salt_bytes)
    keys = SrtpKeys(profile, receive=key, send=key)
    sender, receiver = SrtpSender(keys), SrtpReceiver(keys)
    packets = {n: build_packet(RtpPacket(96, n, 0, 77, b"x")) for n in (1, 30_000)}
    for refused in (b"", bytes(4000)):
        with pytest.raises(NotSealed):
            sender.protect(refused)
    assert receiver.unprotect(sender.protect(packets[30_000])) == packets[30_000]
    with pytest.raises(NotSealed):  # a number too far behind
        sender.protect(packets[1])
    with pytest.raises(OSError, match="libsrtp"):
        sender.protect(packets[1])

"""ICE-lite, DTLS-SRTP and SDP: how packets and descriptions reach us."""

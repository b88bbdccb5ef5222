"""Bytes and values of RTP and RTCP, stateless."""

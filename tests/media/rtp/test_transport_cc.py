"""Transport-wide feedback: what was measured is what is read."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import rtcp
from media.rtp.packets import MalformedPacket
from media.rtp.transport_cc import TICK_US, build_feedback, parse_feedback
from tests.media.corpora import corpus, mutations

gaps = st.sampled_from((1, 1, 1, 1, 1, 1, 2, 3, 15, 40, 3000))
pauses_us = st.sampled_from((0, 30, 250, 5_000, 63_750, 64_000, 200_000, 8_000_000, -300, -20_000))


def told(packets):
    """sequence → arrival of all packets together, and the feedback counts."""
    arrivals, counts = [], []
    for data in packets:
        assert len(data) % 4 == 0 and len(data) < 1400
        (value,) = rtcp.parse_compound(data)
        assert isinstance(value, rtcp.TransportFeedback)
        feedback = parse_feedback(value.body)
        counts.append(feedback.feedback_count)
        arrivals += feedback.arrivals
    return arrivals, counts


@given(st.integers(0, 1 << 20), st.lists(st.tuples(gaps, pauses_us), min_size=1, max_size=700))
def test_every_arrival_is_told_to_a_quarter_of_a_millisecond(sequence, steps):
    measured, now_us = {}, 10_000_000
    for gap, pause_us in steps:
        sequence, now_us = sequence + gap, max(0, now_us + pause_us)
        measured[sequence] = now_us
    arrivals, counts = told(build_feedback(1, 2, 250, measured))
    came = {number: at for number, at in arrivals if at is not None}
    assert came == {number & 0xFFFF: at // TICK_US * TICK_US for number, at in measured.items()}
    assert counts == [(250 + index) % 256 for index in range(len(counts))]


def test_what_was_lost_is_told_as_lost_from_the_base_on():
    arrivals, _ = told(build_feedback(1, 2, 0, {65537: 64_000, 65535: 64_500}, base=65534))
    assert arrivals == [(65534, None), (65535, 64_500), (0, None), (1, 64_000)]


def test_the_bytes_are_those_of_the_draft():
    # Twenty in a row, 1 ms apart, from 64 ms on: one run-length chunk of small deltas, four ticks each.
    (data,) = build_feedback(0x01020304, 0x05060708, 9, {100 + k: 64_000 + 1000 * k for k in range(20)})
    assert data.hex() == (
        "afcd000a" "01020304" "05060708" "00640014" "00000109" "2014" "00" + "04" * 19 + "00" * 1 + "02"
    )  # fmt: skip


def test_nothing_measured_is_nothing_told():
    assert build_feedback(1, 2, 0, {}) == ()


@given(st.binary(max_size=60))
def test_any_body_raises_nothing_but_malformed_packet(data):
    with contextlib.suppress(MalformedPacket):
        parse_feedback(data)


def test_corpora_and_their_mutations_raise_nothing_but_malformed_packet():
    for data in mutations(corpus("rtcp"), each=300):
        try:
            parse_feedback(data[12:])
        except MalformedPacket:
            continue


def test_a_reserved_status_is_refused():
    with pytest.raises(MalformedPacket):
        parse_feedback(bytes.fromhex("00000001000000006001"))

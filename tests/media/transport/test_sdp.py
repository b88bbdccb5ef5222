"""Offers of a real Chromium, and what hostile texts cost."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.rtp.extensions import ABS_SEND_TIME, AUDIO_LEVEL, MID, REPAIRED_RID, RID, TRANSPORT_CC
from media.transport.sdp import (
    BadSdp,
    Fingerprint,
    LocalTransport,
    SlotTerms,
    answer_receive,
    answer_send,
    read_offer,
)
from media.transport.sdp_structure import MOST_BYTES, read_structure

FOLDER = Path(__file__).parents[2] / "vectors" / "sdp"
OFFERS = {path.stem: path.read_bytes().decode() for path in sorted(FOLDER.glob("*.sdp"))}
LOCAL = LocalTransport(
    "ufrag",
    "password-of-ours",
    Fingerprint("sha-256", ":".join(["AB"] * 32)),
    ("1 1 udp 2130706431 192.0.2.1 7000 typ host", "2 1 tcp 1671430143 192.0.2.1 7000 typ host tcptype passive"),
)


def slots(offer):
    return {
        section.mid: SlotTerms(100 + n, 200 + n if section.kind == "video" else None, seat, seat, f"t{n}")
        for n, section in enumerate(offer.sections)
        for seat in (f"seat-{n // 2}",)
    }


def answer_any(text: str) -> None:
    offer = read_offer(text)
    for answer in (answer_send, lambda offer, local: answer_send(offer, local, simulcast=True)):
        try:
            assert answer(offer, LOCAL).sections
        except BadSdp as bad:
            assert bad.code == "sdp.no-common-codec"
    assert answer_receive(offer, LOCAL, slots(offer)).slots


def code(text: str) -> str:
    with pytest.raises(BadSdp) as caught:
        answer_send(read_offer(text), LOCAL)
    return caught.value.code


def test_chromium_sends_opus_and_vp8_with_everything_that_repairs():
    answer = answer_send(read_offer(OFFERS["chromium_send_vp8"]), LOCAL)
    audio, video = answer.sections
    assert (audio.kind, audio.codec, audio.clock_rate, audio.rtx_payload_type) == ("audio", "opus", 48000, None)
    assert set(audio.extensions) == {MID, ABS_SEND_TIME, TRANSPORT_CC, AUDIO_LEVEL}
    assert (video.kind, video.codec, video.clock_rate) == ("video", "VP8", 90000)
    assert set(video.extensions) == {MID, ABS_SEND_TIME, TRANSPORT_CC}
    assert len(audio.ssrcs) == len(video.ssrcs) == 1 and None not in video.ssrcs.values()
    assert audio.stream_id == video.stream_id != "" and audio.cname == video.cname != ""
    payload, rtx = video.payload_type, video.rtx_payload_type
    lines = answer.text.splitlines()
    assert f"m=video 9 UDP/TLS/RTP/SAVPF {payload} {rtx}" in lines
    for line in ("nack", "nack pli", "ccm fir", "transport-cc"):
        assert f"a=rtcp-fb:{payload} {line}" in lines
    assert f"a=fmtp:{payload} x-google-start-bitrate=2000" in lines and f"a=fmtp:{rtx} apt={payload}" in lines
    assert "a=ice-lite" in lines and "a=group:BUNDLE 0 1" in lines and lines.count("a=setup:passive") == 2
    assert lines.count("a=end-of-candidates") == 1 and lines.count("a=recvonly") == 2


def test_h264_is_chosen_by_its_parameters_and_the_browsers_order():
    (_, video) = answer_send(read_offer(OFFERS["chromium_send_h264"]), LOCAL).sections
    assert video.codec == "H264" and video.rtx_payload_type is not None
    text = OFFERS["chromium_send_h264"]
    (line,) = [line for line in text.splitlines() if line.startswith(f"a=fmtp:{video.payload_type} ")]
    assert "packetization-mode=1" in line and "profile-level-id=42e01f" in line


def test_simulcast_is_taken_only_where_it_is_wanted():
    offer = read_offer(OFFERS["chromium_send_simulcast"])
    plain = answer_send(offer, LOCAL)
    assert "simulcast" not in plain.text and plain.sections[1].rids == () and RID not in plain.sections[1].extensions
    layered = answer_send(offer, LOCAL, simulcast=True)
    assert layered.sections[1].rids == ("q", "h", "f") and layered.sections[1].ssrcs == {}
    assert {RID, REPAIRED_RID} <= set(layered.sections[1].extensions)
    assert "a=simulcast:recv q;h;f" in layered.text


def test_a_slot_may_carry_every_codec_of_ours_under_one_name():
    offer = read_offer(OFFERS["chromium_receive_4_seats"])
    answer = answer_receive(offer, LOCAL, slots(offer))
    assert [slot.kind for slot in answer.slots] == ["audio", "video"] * 4
    audio, video = answer.slots[:2]
    assert set(audio.codecs) == {"opus"} and set(video.codecs) == {"VP8", "H264", "VP9", "AV1"}
    assert all(rtx is not None for _, rtx in video.codecs.values())
    assert MID in video.extensions and TRANSPORT_CC not in video.extensions and AUDIO_LEVEL in audio.extensions
    lines = answer.text.splitlines()
    assert lines.count("a=sendonly") == 8 and "a=ssrc-group:FID 101 201" in lines
    assert "a=msid:seat-0 t0" in lines and "a=msid:seat-0 t1" in lines and "transport-cc" not in answer.text
    assert "transport-cc" in answer_receive(offer, LOCAL, slots(offer), transport_cc=True).text


def test_a_section_that_cannot_be_served_is_refused_and_the_others_live():
    text = OFFERS["chromium_send_vp8"]
    text += "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\na=sctp-port:5000\r\n"
    answer = answer_send(read_offer(text), LOCAL)
    assert len(answer.sections) == 2
    assert "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n" in answer.text
    assert "a=group:BUNDLE 0 1\r\n" in answer.text


def test_slots_without_terms_are_refused():
    offer = read_offer(OFFERS["chromium_receive_4_seats"])
    some = dict(list(slots(offer).items())[:2])
    answer = answer_receive(offer, LOCAL, some)
    assert len(answer.slots) == 2 and answer.text.count(" 0 UDP/TLS/RTP/SAVPF") == 6


def test_refusals_have_stable_codes():
    text = OFFERS["chromium_send_vp8"]
    assert code("") == code("hello") == code("v=0\r\n") == "sdp.malformed"
    assert code(text.replace("a=fingerprint", "a=finger")) == "sdp.no-fingerprint"
    assert code(text.replace("sha-256", "sha-1")) == "sdp.no-fingerprint"
    for ours, other in (
        ("opus/48000/2", "opus/16000"),
        ("VP8", "VP7"),
        ("VP9", "VP7"),
        ("AV1", "AV2"),
        ("42e0", "6400"),
    ):
        text = text.replace(ours, other)
    assert code(text) == "sdp.no-common-codec"
    assert code(OFFERS["chromium_receive_4_seats"]) == "sdp.no-common-codec"
    assert code(text.replace("42e01f", "42e0zz").replace("VP8", "VP7").replace("opus", "pcm")) == "sdp.no-common-codec"
    assert code(text + "x" * 2049) == code(text + " " * MOST_BYTES) == "sdp.too-large"
    assert code(text + "a=mid:\x00\r\n") == "sdp.malformed"


@pytest.mark.parametrize("algorithm, size", [("sha-256", 32), ("SHA-384", 48), ("sha-512", 64)])
def test_every_digest_of_today_is_taken(algorithm, size):
    digest = ":".join(["aB"] * size)
    head, _, rest = OFFERS["chromium_send_vp8"].partition("m=audio")
    rest = "\r\n".join(line for line in rest.splitlines() if not line.startswith("a=fingerprint"))
    offer = read_offer(f"{head}a=fingerprint:{algorithm} {digest}\r\nm=audio{rest}\r\n")
    assert offer.fingerprint == Fingerprint(algorithm.lower(), digest.upper())


@pytest.mark.parametrize(
    "bomb",
    [
        "a=rtpmap:96 VP8/90000\r\n",
        "a=rtcp-fb:96 nack\r\n",
        "a=ssrc:1 cname:x\r\n",
        "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n",
        "a=extmap:1 urn:x\r\n",
        "a=x\r\n",
        "b=AS:1\r\n",
    ],
)
def test_a_bomb_of_many_lines_is_refused_before_it_is_read(bomb):
    text = ("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n" + bomb * 100_000)[: MOST_BYTES - 2] + "\r\n"
    with pytest.raises(BadSdp) as caught:
        read_structure(text)
    assert caught.value.code == "sdp.too-large" and 2 < caught.value.lines <= 515


def test_a_section_of_too_many_formats_is_refused():
    text = OFFERS["chromium_send_vp8"].replace("SAVPF 96 ", "SAVPF " + "96 " * 100)
    assert code(text) == "sdp.too-large"


def test_a_bomb_of_many_sections_is_refused_before_it_is_read():
    with pytest.raises(BadSdp) as caught:
        read_structure("v=0\r\n" + "m=audio 9 RTP/AVP 0\r\n" * 6000)
    assert caught.value.code == "sdp.too-large" and caught.value.lines == 66


def test_a_bomb_of_133_kib_is_refused_without_a_look():
    with pytest.raises(BadSdp) as caught:
        read_structure("v=0\r\n" + "a=x\r\n" * 27_000)
    assert caught.value.code == "sdp.too-large" and caught.value.lines == 0


@given(st.data())
@settings(max_examples=300)
def test_a_mutated_offer_raises_nothing_but_bad_sdp(data):
    lines = data.draw(st.sampled_from(sorted(OFFERS.values()))).split("\r\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.integers(0, 4)):
            case 0:
                del lines[at]
                lines = lines or [""]
            case 1:
                lines.insert(at, lines[data.draw(st.integers(0, len(lines) - 1))])
            case 2:
                cut = data.draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:cut]
            case 3:
                cut = data.draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:cut] + data.draw(st.text(max_size=4)) + lines[at][cut + 1 :]
            case _:
                word = data.draw(st.sampled_from((":", " ", "=", "96", "apt=", "-1", "9" * 30)))
                lines[at] = lines[at].replace(word, data.draw(st.sampled_from(("", " ", "99", ";", "/"))))
    try:
        answer_any("\r\n".join(lines))
    except BadSdp as bad:
        assert bad.code in {"sdp.malformed", "sdp.too-large", "sdp.no-common-codec", "sdp.no-fingerprint"}


@given(st.text(max_size=200) | st.text(alphabet="vmoasc=:\r\n 019/", max_size=200).map(lambda rest: "v=0\r\n" + rest))
def test_any_text_raises_nothing_but_bad_sdp(text):
    with pytest.raises(BadSdp):
        answer_any(text)


def test_a_group_without_a_word_is_malformed():
    assert code(OFFERS["chromium_send_vp8"].replace("a=group:BUNDLE 0 1", "a=group:")) == "sdp.malformed"


def test_of_one_kind_four_sections_are_taken_and_the_rest_is_refused_without_harm():
    text = OFFERS["chromium_send_vp8"]
    video = text[text.index("m=video") :]
    many = text.replace("BUNDLE 0 1", "BUNDLE " + " ".join(map(str, range(8))))
    many += "".join(video.replace("a=mid:1\r\n", f"a=mid:{mid}\r\n") for mid in range(2, 8))
    answer = answer_send(read_offer(many), LOCAL)
    assert [section.mid for section in answer.sections] == ["0", "1", "2", "3", "4"]
    assert answer.text.count("m=video 0 ") == 3
    assert "a=group:BUNDLE 0 1 2 3 4\r\n" in answer.text


@pytest.mark.parametrize("codec, parameters", [("VP9", "profile-id=0"), ("AV1", "level-idx=5;profile=0;tier=0")])
def test_the_browsers_order_decides_on_newer_codecs_too(codec, parameters):
    text = OFFERS["chromium_send_vp8"]
    numbers = {"VP9": "98", "AV1": "45"}
    head, _, rest = text.partition("m=video 9 UDP/TLS/RTP/SAVPF ")
    formats, _, rest = rest.partition("\r\n")
    others = [number for number in formats.split() if number != numbers[codec]]
    first = " ".join([numbers[codec], *others])
    answer = answer_send(read_offer(f"{head}m=video 9 UDP/TLS/RTP/SAVPF {first}\r\n{rest}"), LOCAL)
    assert answer.sections[1].codec == codec
    number = numbers[codec]
    assert f"a=rtpmap:{number} {codec}/90000\r\n" in answer.text
    assert f"a=fmtp:{number} {parameters};x-google-start-bitrate" in answer.text
    assert answer_send(read_offer(text), LOCAL).sections[1].codec == "VP8"


def test_profiles_that_we_do_not_forward_are_passed_over():
    ours = answer_receive(
        read_offer(OFFERS["chromium_receive_4_seats"].replace("profile-id=0", "profile-id=1")),
        LOCAL,
        {"1": SlotTerms(7, 8, "c", "s", "t")},
    )
    assert set(ours.slots[0].codecs) == {"VP8", "H264", "AV1"}


def test_lost_sound_will_be_asked_for_although_chromium_offers_no_nack_for_it():
    sent = answer_send(read_offer(OFFERS["chromium_send_vp8"]), LOCAL)
    received = answer_receive(
        read_offer(OFFERS["chromium_receive_4_seats"]), LOCAL, {"0": SlotTerms(7, None, "c", "s", "t")}
    )
    assert "a=rtcp-fb:111 nack\r\n" not in OFFERS["chromium_send_vp8"].replace("\n", "\r\n")
    assert all("a=rtcp-fb:111 nack\r\n" in answer.text for answer in (sent, received))

"""The session alone: no Django, no loop."""

import json
from typing import Any

import pytest

from common.errors import Conflict, Forbidden, Malformed, NotFound, Refusal, TooMany, Unknown
from conference import protocol
from conference.session import (
    EndMeeting,
    Enter,
    LeaveMeeting,
    Negotiate,
    Replay,
    SayText,
    Session,
    SetCamera,
    SetHand,
    SetMuted,
    SetScreen,
    TellViews,
)

JOIN = '{"type":"join","ticket":"t"}'
SAY = '{"type":"say","id":"a","text":"x"}'


def inside(now: float = 0.0) -> Session:
    session = Session(now)
    session.receive(JOIN, now)
    session.entered()
    return session


def test_a_session_is_joined_before_it_is_obeyed() -> None:
    session = Session(0)
    with pytest.raises(Conflict, match="Join first") as no:
        session.receive(SAY, 0)
    assert no.value.code == "session.out-of-turn"
    assert session.receive('{"type":"join","ticket":"t","seen":3}', 0) == Enter("t", 3)
    with pytest.raises(Conflict):
        session.receive(SAY, 0)
    session.entered()
    assert session.receive(SAY, 0) == SayText("a", "x")
    with pytest.raises(Conflict):
        session.receive(JOIN, 0)


@pytest.mark.parametrize(
    ("frame", "effect"),
    [
        ('{"type":"resume","seen":4}', Replay(4)),
        ('{"type":"mute","participantId":"p","muted":true,"id":"1"}', SetMuted("p", True, "1")),
        ('{"type":"switch-camera","participantId":"p","on":false}', SetCamera("p", False, None)),
        ('{"type":"switch-screen","participantId":"p","on":true}', SetScreen("p", True, None)),
        ('{"type":"raise-hand","participantId":"p","raised":true,"id":"3"}', SetHand("p", True, "3")),
        ('{"type":"watch","views":[]}', TellViews(())),
        (
            '{"type":"watch","views":[{"participantId":"p","origin":"screen","heightPx":720}]}',
            TellViews((protocol.View("p", "screen", 720),)),
        ),
        ('{"type":"leave"}', LeaveMeeting()),
        ('{"type":"end","id":"2"}', EndMeeting("2")),
        (
            '{"type":"offer","id":"o","connection":"send","sdp":"v=0","origins":{"0":"camera"}}',
            Negotiate(protocol.Offer("o", "send", "v=0", {"0": "camera"})),
        ),
    ],
)
def test_each_message_is_one_effect(frame: str, effect: Any) -> None:
    assert inside().receive(frame, 0) == effect


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (None, "message.binary"),
        ("", "message.malformed"),
        ("[]", "message.malformed"),
        ("[" * 5000, "message.malformed"),
        ('{"type":"join"}', "message.malformed"),
        ('{"type":"join","ticket":"t","surprise":1}', "message.malformed"),
        ('{"type":"join","ticket":"t","seen":-1}', "message.malformed"),
        ('{"type":"join","ticket":"' + "x" * 1025 + '"}', "message.malformed"),
        ('{"type":"join","ticket":"t","version":2}', "message.version"),
        ('{"type":"nonsense"}', "message.malformed"),
        ('{"type":"watch","views":[{"participantId":"p","origin":"screen","heightPx":-1}]}', "message.malformed"),
        ('{"type":"watch","views":[{"participantId":"p","origin":"nose","heightPx":1}]}', "message.malformed"),
        ("é" * (protocol.MAX_FRAME_BYTES // 2 + 1), "message.too-large"),
        ("x" * (protocol.MAX_FRAME_BYTES + 1), "message.too-large"),
    ],
)
def test_what_is_not_a_message_is_refused_by_name(frame: str | None, code: str) -> None:
    session = Session(0)
    with pytest.raises(Malformed) as no:
        session.receive(frame, 0)
    assert no.value.code == code
    assert session.closing_code(no.value, 0) == (4400 if code == "message.too-large" else None)
    assert session.state == "outside", "a bad frame changes nothing"


def test_a_refused_request_is_named() -> None:
    session = inside()
    session.receive(SAY, 0)
    assert session.request_id == "a"
    with pytest.raises(Malformed):
        session.receive("?", 0)
    assert session.request_id is None


def flood(session: Session, start: float, end: float) -> Refusal | None:
    last = None
    for step in range(int((end - start) * 100)):
        try:
            session.receive(SAY, start + step / 100)
        except TooMany as no:
            last = no
    return last


def test_sixty_at_once_and_twenty_a_second_are_heard() -> None:
    session = inside()
    for _ in range(59):
        session.receive(SAY, 0)
    with pytest.raises(TooMany) as no:
        session.receive(SAY, 0)
    assert no.value.code == "messages.too-many"
    assert session.closing_code(no.value, 0) is None
    for step in range(200):
        session.receive(SAY, 1 + step / 20)


def test_a_flood_that_goes_on_for_three_seconds_is_hung_up_on() -> None:
    session = inside()
    no = flood(session, 0, 3)
    assert no is not None
    assert session.closing_code(no, 2.9) is None
    no = flood(session, 3, 4.5)
    assert no is not None
    assert session.closing_code(no, 4.5) == 4429


def test_a_flood_that_pauses_begins_anew() -> None:
    session = inside()
    flood(session, 0, 3)
    no = flood(session, 5, 6)
    assert no is not None
    assert session.closing_code(no, 6) is None


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Unknown("ticket.expired"), 4401),
        (Conflict("meeting.over"), 4409),
        (NotFound("meeting.unknown"), 4404),
    ],
)
def test_whoever_is_not_let_in_is_hung_up_on(refusal: Refusal, code: int) -> None:
    session = Session(0)
    session.receive(JOIN, 0)
    assert session.closing_code(refusal, 0) == code


def test_inside_a_no_keeps_the_socket_open() -> None:
    assert inside().closing_code(Forbidden("meeting.host-only"), 0) is None
    assert inside().closing_code(Unknown("ticket.revoked"), 0) == 4401


def test_the_largest_offer_fits_a_frame() -> None:
    sdp = "a=x\r\n" * (128 * 1024 // 5)
    text = json.dumps({"type": "offer", "id": "o", "connection": "send", "sdp": sdp})
    assert isinstance(inside().receive(text, 0), Negotiate)

"""State + journal == fresh state, whatever happened."""

import contextlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import Refusal
from conference import protocol, selectors, services
from conference.models import Participant
from conference.protocol import line_codec
from conference.state import NOTHING, apply

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("admit", "join", "leave", "remove", "say", "mute-all", "claim", "end"),
                *("lock", "rename", "promote", "spotlight", "lobby", "let-in", "ban", "lower-hands"),
                *("mute", "unmute", "self", "camera", "screen", "stop-share", "hand", "lower-hand"),
            ]
        ),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=25,
)


def replayed(meeting_id: UUID, state: protocol.MeetingState = NOTHING) -> protocol.MeetingState:
    for _, text in selectors.lines_after(meeting_id, state.sequence):
        state = apply(state, line_codec.decode(text))
    return state


def perform(scene: Any, admitted: list[Any], step: tuple[str, int, bool]) -> None:
    verb, whom, on = step
    meeting: dict[str, Any] = {"meeting_id": scene.meeting_id}
    host = scene.actor("host")
    if verb == "admit":
        admitted.append(scene.admit(f"Guest {len(admitted)}"))
        return
    if verb == "claim":
        services.claim_meeting(node="m0", **meeting)
        return
    if verb == "mute-all":
        services.mute_all(actor=host, **meeting)
        return
    if verb == "lock":
        services.set_locked(actor=host, locked=on, **meeting)
        return
    if verb == "lower-hands":
        services.lower_hands(actor=host, **meeting)
        return
    if verb == "end":
        if whom == 3:
            services.end_meeting(actor=host, **meeting)
        return
    if not admitted:
        return
    one = admitted[whom % len(admitted)]
    person = {"participant_id": one.participant_id, **meeting}
    themselves = selectors.Actor(participant_id=one.participant_id)
    match verb:
        case "join":
            services.join_meeting(ticket=one.ticket, **meeting)
        case "rename":
            services.rename(actor=themselves, name=f"Another {on}", **person)
        case "promote":
            services.set_role(actor=host, role="cohost" if on else "member", **person)
        case "spotlight":
            services.set_spotlight(actor=host, **(person if on else {**meeting, "participant_id": None}))
        case "lobby":
            services.move_to_lobby(actor=host, **person)
        case "let-in":
            services.admit(actor=host, admitted=on, **person)
        case "ban":
            services.remove_participant(actor=host, ban=True, **person)
        case "leave":
            services.leave_meeting(**person)
        case "remove":
            services.remove_participant(actor=host, **person)
        case "mute" | "unmute":
            services.set_muted(actor=host, muted=verb == "mute", **person)
        case "self":
            services.set_muted(actor=themselves, muted=on, **person)
        case "camera":
            services.set_camera(actor=themselves, on=on, **person)
        case "screen":
            services.set_screen(actor=themselves, on=on, **person)
        case "hand":
            services.raise_hand(actor=themselves, raised=on, **person)
        case "stop-share":
            services.set_screen(actor=host, on=False, **person)
        case "lower-hand":
            services.raise_hand(actor=host, raised=False, **person)
        case "say":
            services.say(actor=themselves, client_id=f"{whom}", text="hello", **meeting)


@pytest.mark.servers
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, cut=st.integers(0, 25))
def test_a_state_and_the_lines_after_it_are_the_fresh_state(scene: Any, steps: Any, cut: int) -> None:
    from django.db import transaction

    with transaction.atomic():
        admitted: list[Any] = []
        early = selectors.state_of(scene.meeting_id)
        for index, step in enumerate(steps):
            if index == cut:
                early = selectors.state_of(scene.meeting_id)
            with contextlib.suppress(Refusal):
                perform(scene, admitted, step)
        fresh = selectors.state_of(scene.meeting_id)
        assert replayed(scene.meeting_id) == fresh
        assert replayed(scene.meeting_id, early) == fresh
        plan = selectors.relay_plan(scene.meeting_id)
        kept_out = {
            str(pk) for pk in Participant.objects.exclude(state__in=selectors.PLANNED).values_list("pk", flat=True)
        }
        assert plan is None or not kept_out & {one.id for one in plan.participants}
        assert len(fresh.people) <= scene.room.capacity
        transaction.set_rollback(True)


def test_a_line_that_comes_twice_changes_nothing() -> None:
    said = protocol.Said(sequence=1, at=0, id="a", participant_id="p", name="Ann", text="hello")
    once = apply(NOTHING, said)
    assert apply(once, said) == once
    assert len(once.chat) == 1


def test_only_the_last_two_hundred_messages_are_kept() -> None:
    state = NOTHING
    for number in range(1, 251):
        state = apply(
            state, protocol.Said(sequence=number, at=0, id=f"{number}", participant_id="p", name="A", text="x")
        )
    assert [len(state.chat), state.chat[0].id, state.chat[-1].id] == [200, "51", "250"]


VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "meeting_state.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"].replace(" ", "_"))
def test_the_golden_vectors_that_the_browsers_reducer_passes_too(vector: dict[str, Any]) -> None:
    state = msgspec.convert(vector["state"], protocol.MeetingState)
    line = protocol.line_codec.decode(json.dumps(vector["line"]))
    assert apply(state, line) == msgspec.convert(vector["expected"], protocol.MeetingState)

"""Rooms: who may do what, and the gates."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.services import create_user
from common.clock import now
from common.errors import Conflict, Forbidden, Malformed, NotFound
from rooms import selectors, services
from rooms.slugs import new_slug
from rooms.words import Role

pytestmark = [pytest.mark.servers, pytest.mark.django_db]


@pytest.fixture
def ann(db: None) -> Any:
    return create_user(username="ann")


def test_whoever_makes_a_room_is_its_host(ann: Any) -> None:
    room = services.create_room(owner_id=ann.pk, title="  Blue   room ")
    assert room.title == "Blue room"
    assert selectors.role_in(room_id=room.pk, user_id=ann.pk) == Role.HOST
    selectors.require_host(room_id=room.pk, user_id=ann.pk)


def test_links_are_not_guessed_and_not_shared(ann: Any) -> None:
    assert len({new_slug() for _ in range(1000)}) == 1000
    services.create_room(owner_id=ann.pk, title="Blue", slug="blue")
    with pytest.raises(Conflict, match="link"):
        services.create_room(owner_id=ann.pk, title="Other", slug="blue")


@pytest.mark.parametrize("title", ["", "  ", "x" * 121, "a\x00b"])
def test_a_title_is_a_title(ann: Any, title: str) -> None:
    with pytest.raises(Malformed):
        services.create_room(owner_id=ann.pk, title=title)


def test_strangers_find_nothing_and_members_command_nothing(ann: Any) -> None:
    bob = create_user(username="bob")
    room = services.create_room(owner_id=ann.pk, title="Blue")
    for who in (bob.pk, None):
        with pytest.raises(NotFound):
            selectors.require_member(room_id=room.pk, user_id=who)
        with pytest.raises(NotFound):
            selectors.require_host(room_id=room.pk, user_id=who)
    services.grant_role(room_id=room.pk, user_id=bob.pk, role=Role.MEMBER)
    assert selectors.require_member(room_id=room.pk, user_id=bob.pk) == Role.MEMBER
    with pytest.raises(Forbidden):
        selectors.require_host(room_id=room.pk, user_id=bob.pk)
    assert list(selectors.rooms_of(bob.pk)) == [room]


def test_a_role_ends_with_its_time_and_its_meeting(ann: Any) -> None:
    bob = create_user(username="bob")
    room = services.create_room(owner_id=ann.pk, title="Blue")
    meeting = room.pk
    services.grant_role(room_id=room.pk, user_id=bob.pk, role=Role.COHOST, meeting_id=meeting)
    assert selectors.role_in(room_id=room.pk, user_id=bob.pk) is None
    assert selectors.role_in(room_id=room.pk, user_id=bob.pk, meeting_id=meeting) == Role.COHOST
    services.grant_role(
        room_id=room.pk, user_id=bob.pk, role=Role.COHOST, meeting_id=meeting, until=now() - timedelta(seconds=1)
    )
    assert selectors.role_in(room_id=room.pk, user_id=bob.pk, meeting_id=meeting) is None

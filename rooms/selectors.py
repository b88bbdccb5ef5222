"""Reads of rooms, and the gates in front of them."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import check_password
from django.db.models import Q, QuerySet

from common.clock import now
from common.errors import Forbidden, NotFound
from rooms.models import Membership, Room
from rooms.words import Role

HOSTS = (Role.HOST, Role.COHOST)
_ORDER = {Role.HOST: 0, Role.COHOST: 1, Role.MEMBER: 2, Role.GUEST: 3}


def room_by_slug(slug: str) -> Room:
    """Raise NotFound (`room.unknown`)."""
    room = Room.objects.filter(slug=slug).first()
    if room is None:
        raise NotFound("room.unknown", "There is no such room.")
    return room


def passcode_matches(room: Room, passcode: str) -> bool:
    """Whether it is the room's; True where none is asked. Slow on purpose (Argon2)."""
    return not room.passcode or check_password(passcode, room.passcode)


def rooms_of(user_id: UUID) -> QuerySet[Room]:
    """The rooms in which somebody has a role."""
    return Room.objects.filter(pk__in=_living(now()).filter(user_id=user_id).values("room_id"))


def visible_rooms(*, user_id: UUID, operator: bool) -> QuerySet[Room]:
    """The rooms that somebody may see in lists: their own; operators see all."""
    return Room.objects.all() if operator else rooms_of(user_id)


def role_in(*, room_id: UUID, user_id: UUID | None, meeting_id: UUID | None = None) -> Role | None:
    """The most trusted role that somebody has now, in the room or in that meeting of it."""
    if user_id is None:
        return None
    scope = Q(meeting_id=None) if meeting_id is None else Q(meeting_id=None) | Q(meeting_id=meeting_id)
    roles = _living(now()).filter(scope, room_id=room_id, user_id=user_id).values_list("role", flat=True)
    return min((Role(role) for role in roles), key=_ORDER.__getitem__, default=None)


def require_member(*, room_id: UUID, user_id: UUID | None, operator: bool = False) -> Role | None:
    """The role. Raise NotFound (`room.unknown`) for strangers; operators pass without a role."""
    role = role_in(room_id=room_id, user_id=user_id)
    if role is None and not operator:
        raise NotFound("room.unknown", "There is no such room.")
    return role


def require_host(
    *, room_id: UUID, user_id: UUID | None, operator: bool = False, meeting_id: UUID | None = None
) -> None:
    """Raise NotFound (`room.unknown`) for strangers, Forbidden (`room.host-only`) for members who are no hosts."""
    if operator:
        return
    role = role_in(room_id=room_id, user_id=user_id, meeting_id=meeting_id)
    if role is None:
        raise NotFound("room.unknown", "There is no such room.")
    if role not in HOSTS:
        raise Forbidden("room.host-only", "Only hosts of the room may do this.")


def members_of(room_id: UUID) -> QuerySet[Membership]:
    """Everybody with a role in the room now."""
    return _living(now()).filter(room_id=room_id).select_related("user")


def _living(moment: datetime) -> QuerySet[Membership]:
    return Membership.objects.filter(Q(until=None) | Q(until__gt=moment))

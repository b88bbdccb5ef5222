"""Writes to rooms: one verb, one transaction."""

from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from common.errors import Conflict, Malformed
from common.transactions import atomically
from rooms.models import Membership, Room
from rooms.selectors import require_host, room_by_slug
from rooms.slugs import new_slug
from rooms.words import Role

PASSCODE_CHARACTERS = (4, 64)


class Settings(TypedDict, total=False):
    """What a host may choose about a room."""

    title: str
    description: str
    guests_allowed: bool
    anyone_may_start: bool
    mute_on_entry: bool
    capacity: int
    lobby: str


@atomically
def create_room(*, owner_id: UUID, slug: str | None = None, **settings: Unpack[Settings]) -> Room:
    """A new room, whose host is its owner. Without a slug it gets one that nobody guesses.

    Raises Malformed (`room.title`), Conflict (`room.slug-taken`).
    """
    settings["title"] = _titled(settings.get("title", ""))
    try:
        with transaction.atomic():
            room = Room.objects.create(owner_id=owner_id, slug=slug or new_slug(), **settings)
    except IntegrityError:
        raise Conflict("room.slug-taken", "Another room has this link.") from None
    Membership.objects.create(room=room, user_id=owner_id, role=Role.HOST)
    return room


@atomically
def change_room(*, actor_id: UUID, operator: bool, slug: str, **settings: Unpack[Settings]) -> Room:
    """Change what is given. Raises NotFound, Forbidden (`room.host-only`), Malformed (`room.title`)."""
    room = room_by_slug(slug)
    require_host(room_id=room.pk, user_id=actor_id, operator=operator)
    if "title" in settings:
        settings["title"] = _titled(settings["title"])
    for name, value in settings.items():
        setattr(room, name, value)
    room.save(update_fields=list(settings))
    return room


@atomically
def set_passcode(*, actor_id: UUID, operator: bool, slug: str, passcode: str) -> Room:
    """Ask people without a role in the room for it from now on; empty: nobody is asked.

    Raises NotFound, Forbidden (`room.host-only`), Malformed (`room.passcode`).
    """
    room = room_by_slug(slug)
    require_host(room_id=room.pk, user_id=actor_id, operator=operator)
    if passcode and not (PASSCODE_CHARACTERS[0] <= len(passcode) <= PASSCODE_CHARACTERS[1] and passcode.isprintable()):
        raise Malformed("room.passcode", "A passcode has 4 to 64 printable characters.")
    room.passcode = make_password(passcode) if passcode else ""
    room.save(update_fields=["passcode"])
    return room


@atomically
def delete_room(*, actor_id: UUID, operator: bool, slug: str) -> None:
    """Delete a room in which nobody ever met.

    Raises NotFound, Forbidden (`room.host-only`), Conflict (`room.in-use`): what happened there is kept.
    """
    room = room_by_slug(slug)
    require_host(room_id=room.pk, user_id=actor_id, operator=operator)
    try:
        room.delete()
    except ProtectedError:
        raise Conflict("room.in-use", "This room has meetings, so it cannot be deleted.") from None


@atomically
def grant_role(
    *,
    room_id: UUID,
    user_id: UUID,
    role: Role,
    meeting_id: UUID | None = None,
    until: datetime | None = None,
) -> Membership:
    """Give somebody a role in the room, or in one meeting of it; the earlier one of the same scope is replaced."""
    membership, _ = Membership.objects.update_or_create(
        room_id=room_id, user_id=user_id, meeting_id=meeting_id, defaults={"role": role, "until": until}
    )
    return membership


def _titled(title: str) -> str:
    title = " ".join(title.split())
    if not 0 < len(title) <= 120 or not title.isprintable():
        raise Malformed("room.title", "A title has 1 to 120 printable characters.")
    return title

"""Rooms, and what everybody may do in them."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from common.ids import new_id
from rooms.words import Lobby, Role


class Room(models.Model):
    """A place with a name and a link, where meetings happen."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=64, unique=True, help_text="the last part of the room's link")
    title = models.CharField(max_length=120)
    description = models.TextField(max_length=2000, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned_rooms")
    created_at = models.DateTimeField(auto_now_add=True)
    guests_allowed = models.BooleanField(default=True, help_text="people who are no members may enter by the link")
    anyone_may_start = models.BooleanField(default=False, help_text="whoever may enter may also start a meeting")
    mute_on_entry = models.BooleanField(default=False, help_text="everybody but hosts enters muted")
    capacity = models.PositiveSmallIntegerField(
        default=100, validators=[MinValueValidator(1), MaxValueValidator(1000)], help_text="people in one meeting"
    )

    lobby = models.CharField(max_length=9, choices=Lobby, default=Lobby.NOBODY, help_text="who waits to be let in")
    passcode = models.CharField(max_length=128, blank=True, editable=False, help_text="a hash; empty: none is asked")

    class Meta:
        ordering = ("title", "id")

    def __str__(self) -> str:
        return self.title


class Membership(models.Model):
    """A role in a room, or in one meeting of it (`meeting_id`, without a foreign key: meetings stand above rooms)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role, default=Role.MEMBER)
    meeting_id = models.UUIDField(null=True, blank=True, help_text="only in this meeting; empty: in the room")
    until = models.DateTimeField(null=True, blank=True, help_text="the role ends then; empty: it stays")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("room", "user"), condition=models.Q(meeting_id=None), name="one_role_in_a_room"
            ),
            models.UniqueConstraint(
                fields=("room", "user", "meeting_id"),
                condition=models.Q(meeting_id__isnull=False),
                name="one_role_in_a_meeting",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.room}"

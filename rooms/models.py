"""Rooms, and what everybody may do in them."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower

from common.ids import new_id
from rooms.words import DeviceKind, DeviceState, Lobby, Role


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


class Device(models.Model):
    """A piece of hardware in a room. What it says of itself comes by heartbeat, with a token of its own."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    room = models.ForeignKey(Room, on_delete=models.SET_NULL, null=True, blank=True, related_name="devices")
    kind = models.CharField(max_length=10, choices=DeviceKind)
    name = models.CharField(max_length=120, help_text="as people in the room call it")
    maker = models.CharField(max_length=80, blank=True)
    model = models.CharField(max_length=80, blank=True)
    serial = models.CharField(max_length=80, blank=True, help_text="unique for each maker")
    firmware = models.CharField(max_length=80, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True, help_text="of the network, as it says itself")
    state = models.CharField(max_length=8, choices=DeviceState, default=DeviceState.NEW)
    faults = models.JSONField(default=list, blank=True, help_text="stable codes, as it says itself")
    last_seen = models.DateTimeField(null=True, blank=True)
    consents = models.BooleanField(default=False, help_text="may be unmuted and switched on from afar")
    participant_id = models.UUIDField(null=True, blank=True, help_text="who uses it in a meeting now")
    token = models.CharField(max_length=64, blank=True, editable=False, help_text="a digest")
    activation = models.CharField(max_length=64, blank=True, editable=False, help_text="a digest")
    activation_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                Lower("maker"), Lower("serial"), condition=~models.Q(serial=""), name="one_device_per_serial"
            ),
        )
        indexes = (
            models.Index(fields=("name", "id"), name="devices_by_name"),
            models.Index(fields=("room", "name", "id"), name="devices_by_room"),
            models.Index(fields=("state", "last_seen"), name="devices_by_state"),
            models.Index(fields=("serial",), name="devices_by_serial"),
            models.Index(fields=("participant_id",), name="devices_by_participant"),
            models.Index(fields=("activation",), name="devices_by_activation"),
        )

    def __str__(self) -> str:
        return self.name

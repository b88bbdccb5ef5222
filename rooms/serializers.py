"""REST shapes of rooms."""

from typing import ClassVar

from rest_framework import serializers

from rooms.models import Room


class RoomSerializer(serializers.ModelSerializer[Room]):
    """A room as its members see it."""

    passcode = serializers.CharField(
        write_only=True,
        required=False,
        allow_blank=True,
        max_length=64,
        trim_whitespace=False,
        help_text="asked of people without a role in the room; empty: nobody is asked",
    )
    passcode_set = serializers.SerializerMethodField()
    owner = serializers.CharField(source="owner.username", read_only=True)

    class Meta:
        model = Room
        fields: ClassVar = (
            "id",
            "slug",
            "title",
            "description",
            "owner",
            "created_at",
            "guests_allowed",
            "anyone_may_start",
            "mute_on_entry",
            "capacity",
            "lobby",
            "passcode_set",
            "passcode",
        )
        read_only_fields: ClassVar[tuple[str, ...]] = ("id", "created_at")
        # That a link is taken is the service's to say: it knows even when two ask at once.
        extra_kwargs: ClassVar = {"slug": {"required": False, "validators": [], "min_length": 3}}

    def get_passcode_set(self, room: Room) -> bool:
        """Whether people without a role are asked for one."""
        return bool(room.passcode)


class RoomChangeSerializer(RoomSerializer):
    """What may be changed: all but the link."""

    class Meta(RoomSerializer.Meta):
        read_only_fields: ClassVar[tuple[str, ...]] = ("id", "created_at", "slug")

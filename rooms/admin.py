"""Rooms and roles for operators."""

from django.contrib import admin

from rooms.models import Membership, Room


class MembershipInline(admin.TabularInline[Membership, Room]):
    """Roles of one room."""

    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin[Room]):
    """Rooms."""

    list_display = ("title", "slug", "owner", "guests_allowed", "lobby", "capacity", "created_at")
    list_filter = ("guests_allowed", "lobby", "anyone_may_start", "mute_on_entry")
    search_fields = ("title", "slug", "owner__username")
    autocomplete_fields = ("owner",)
    readonly_fields = ("created_at",)
    inlines = (MembershipInline,)


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin[Membership]):
    """Roles."""

    list_display = ("user", "room", "role", "meeting_id", "until")
    list_filter = ("role",)
    search_fields = ("user__username", "room__title", "room__slug")
    autocomplete_fields = ("user", "room")

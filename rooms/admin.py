"""Rooms and roles for operators."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from common.errors import Refusal
from rooms import inventory
from rooms.models import Device, Membership, Room


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


@admin.register(Device)
class DeviceAdmin(admin.ModelAdmin[Device]):
    """The hardware inventory. What a device says of itself is shown, not typed in."""

    list_display = ("name", "kind", "room", "state", "maker", "model", "serial", "firmware", "last_seen")
    list_filter = ("state", "kind", "consents", "maker")
    list_select_related = ("room",)
    search_fields = ("name", "serial", "model", "room__title", "address")
    autocomplete_fields = ("room",)
    readonly_fields = ("state", "firmware", "address", "faults", "last_seen", "participant_id", "created_at")
    actions = ("show_codes", "retire")

    @admin.action(description="Show a new activation code for each")
    def show_codes(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        """Once: it cannot be read again."""
        for device in queryset:
            try:
                code, until = inventory.issue_code(device_id=device.pk)
            except Refusal as no:
                self.message_user(request, f"{device}: {no.detail}", messages.WARNING)
            else:
                self.message_user(
                    request, f"{device}: {code[:4]}-{code[4:]}, until {until:%H:%M} UTC", messages.SUCCESS
                )

    @admin.action(description="Retire the selected devices")
    def retire(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        """Their records stay."""
        for device in queryset:
            inventory.retire_device(device_id=device.pk)
        self.message_user(request, "Retired.", messages.SUCCESS)

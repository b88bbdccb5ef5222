"""Meetings for operators. What people do goes through the services; the journal is read-only."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from common.errors import Refusal
from conference import nodes, services
from conference.models import ChatMessage, Entry, Meeting, Participant
from conference.selectors import Actor


class _ReadOnly:
    """Nothing here is typed in; it comes about."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes."""
        return False


class ParticipantInline(_ReadOnly, admin.TabularInline[Participant, Meeting]):
    """People of one meeting."""

    model = Participant
    fields = ("name", "role", "state", "muted", "camera_on", "sharing", "hand_raised_at", "joined_at", "left_at")
    extra = 0


@admin.register(Meeting)
class MeetingAdmin(_ReadOnly, admin.ModelAdmin[Meeting]):
    """Meetings."""

    list_display = ("room", "started_at", "ended_at", "sequence", "relay_node", "relay_epoch")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "relay_node")
    list_select_related = ("room",)
    search_fields = ("room__title", "room__slug")
    date_hierarchy = "started_at"
    inlines = (ParticipantInline,)
    actions = ("end",)

    @admin.action(description="End the selected meetings")
    def end(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> None:
        """For everybody in them."""
        for meeting in queryset:
            services.end_meeting(actor=_operator(request), meeting_id=meeting.pk)
        self.message_user(request, "Ended.", messages.SUCCESS)


@admin.register(Participant)
class ParticipantAdmin(_ReadOnly, admin.ModelAdmin[Participant]):
    """People in meetings."""

    list_display = (
        *("name", "meeting", "role", "state", "muted", "camera_on", "sharing", "hand_raised_at"),
        *("joined_at", "left_at"),
    )
    list_filter = ("state", "role", "sharing")
    list_select_related = ("meeting__room",)
    search_fields = ("name", "user__username", "meeting__room__title")
    actions = ("mute", "stop_share", "lower_hand", "remove")

    @admin.action(description="Mute the selected people")
    def mute(self, request: HttpRequest, queryset: QuerySet[Participant]) -> None:
        """Those who are present."""
        self._each(request, queryset, lambda **whom: services.set_muted(muted=True, **whom))

    @admin.action(description="End the screen sharing of the selected people")
    def stop_share(self, request: HttpRequest, queryset: QuerySet[Participant]) -> None:
        """Those who are present."""
        self._each(request, queryset, lambda **whom: services.set_screen(on=False, **whom))

    @admin.action(description="Lower the hands of the selected people")
    def lower_hand(self, request: HttpRequest, queryset: QuerySet[Participant]) -> None:
        """Those who are present."""
        self._each(request, queryset, lambda **whom: services.raise_hand(raised=False, **whom))

    @admin.action(description="Send the selected people out")
    def remove(self, request: HttpRequest, queryset: QuerySet[Participant]) -> None:
        """Those who are present."""
        self._each(request, queryset, services.remove_participant)

    def _each(self, request: HttpRequest, people: QuerySet[Participant], command: Any) -> None:
        for person in people:
            try:
                command(actor=_operator(request), meeting_id=person.meeting_id, participant_id=person.pk)
            except Refusal as no:
                self.message_user(request, f"{person}: {no.detail}", messages.WARNING)
            else:
                self.message_user(request, f"{person}: done.", messages.SUCCESS)


@admin.register(Entry)
class EntryAdmin(_ReadOnly, admin.ModelAdmin[Entry]):
    """The journal."""

    list_display = ("meeting", "sequence", "at", "body")
    list_select_related = ("meeting__room",)
    list_filter = ("at",)
    search_fields = ("=meeting__id", "body")


@admin.register(ChatMessage)
class ChatMessageAdmin(_ReadOnly, admin.ModelAdmin[ChatMessage]):
    """The chat."""

    list_display = ("meeting", "participant", "at", "text")
    list_select_related = ("meeting__room", "participant")
    search_fields = ("text", "participant__name")


def _operator(request: HttpRequest) -> Actor:
    return Actor(user_id=request.user.pk, operator=True, name=request.user.get_username())


def nodes_page(request: HttpRequest) -> HttpResponse:
    """Media workers with a button each to drain them; the site gives it its address and keeps others out."""
    if request.method == "POST":
        command = nodes.undrain_node if request.POST.get("command") == "undrain" else nodes.drain_node
        try:
            found = command(node=request.POST.get("node", ""))
        except Refusal as no:
            messages.warning(request, no.detail)
        else:
            messages.success(request, f"{found.node}: {'draining' if found.draining else 'in use'}.")
        return HttpResponseRedirect(request.get_full_path())
    try:
        known = nodes.nodes()
    except Refusal as no:
        messages.warning(request, no.detail)
        known = []
    context = {**admin.site.each_context(request), "title": "Media workers", "nodes": known}
    return TemplateResponse(request, "conference/nodes.html", context)

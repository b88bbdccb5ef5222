"""Addresses of meetings: `urlpatterns` under /api/v1/, `pages` under /."""

from django.urls import path, re_path

from conference import node_views, views
from conference import pages as page_views

_ID = "meetings/<uuid:meeting_id>/"
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

urlpatterns = [
    path("rooms/<slug:slug>/meetings/", views.RoomMeetingsView.as_view()),
    path("rooms/<slug:slug>/tickets/", views.TicketsView.as_view()),
    path("meetings/", views.MeetingsView.as_view()),
    path(_ID, views.MeetingView.as_view()),
    path(f"{_ID}end/", views.EndView.as_view()),
    path(f"{_ID}mute-all/", views.MuteAllView.as_view()),
    path(f"{_ID}journal/", views.JournalView.as_view()),
    path(f"{_ID}messages/", views.MessagesView.as_view()),
    path(f"{_ID}participants/", views.ParticipantsView.as_view()),
    path(f"{_ID}participants/<uuid:participant_id>/", views.ParticipantView.as_view()),
    re_path(
        rf"^meetings/(?P<meeting_id>{_UUID})/(?P<verb>lock|unlock|lower-hands|admit-all|end-spotlight)/$",
        views.MeetingCommandView.as_view(),
    ),
    re_path(
        rf"^meetings/(?P<meeting_id>{_UUID})/participants/(?P<participant_id>{_UUID})/"
        r"(?P<verb>mute|unmute|camera-on|camera-off|stop-share|lower-hand|remove|ban|admit|deny|"
        r"move-to-lobby|rename|set-role|spotlight)/$",
        views.CommandView.as_view(),
    ),
    path("nodes/", node_views.NodesView.as_view()),
    path("nodes/<str:node>/drain/", node_views.DrainView.as_view()),
    path("nodes/<str:node>/undrain/", node_views.UndrainView.as_view()),
    path("ice-servers/", views.IceServersView.as_view()),
]
pages = [
    path("", page_views.desktop, name="desktop"),
    path("r/<slug:slug>/", page_views.meeting, name="meeting"),
]

"""Socket addresses of meetings. Their Origin is checked by the wrapper in `config.asgi`."""

from django.urls import path

from conference.consumers import MeetingConsumer

websocket_urlpatterns = [
    path("ws/meetings/<uuid:meeting_id>/", MeetingConsumer.as_asgi()),
]

"""Addresses of rooms: `urlpatterns` under /api/v1/, `pages` under /."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from rooms import device_views, views

_router = SimpleRouter()
_router.register("rooms", views.RoomViewSet, basename="room")

_router.register("devices", device_views.DeviceViewSet, basename="device")

urlpatterns = [
    path("devices/activate/", device_views.ActivateView.as_view()),
    path("devices/<uuid:device_id>/heartbeat/", device_views.HeartbeatView.as_view()),
    *_router.urls,
]
pages = [path("join/", views.join, name="join")]

"""Addresses of rooms: `urlpatterns` under /api/v1/, `pages` under /."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from rooms import views

_router = SimpleRouter()
_router.register("rooms", views.RoomViewSet, basename="room")

urlpatterns = _router.urls
pages = [path("join/", views.join, name="join")]

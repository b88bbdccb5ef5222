"""REST entrance to rooms, and the way in by link."""

import re
from typing import Any
from urllib.parse import urlsplit

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import InScope
from common.idempotency import idempotent
from common.problems import ProblemSerializer
from rooms import selectors, services
from rooms.models import Room
from rooms.serializers import RoomChangeSerializer, RoomSerializer

_REFUSED = {400: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer, 409: ProblemSerializer}


class RoomFilter(django_filters.FilterSet):
    """`?title=`: part of a title, in any case. `?owner=`: a user name."""

    title = django_filters.CharFilter(lookup_expr="icontains")
    owner = django_filters.CharFilter(field_name="owner__username")

    class Meta:
        model = Room
        fields = ("title", "owner")


@extend_schema_view(
    list=extend_schema(summary="My rooms; operators see all"),
    retrieve=extend_schema(summary="One room", responses={200: RoomSerializer, 404: ProblemSerializer}),
)
class RoomViewSet(viewsets.GenericViewSet[Room]):
    """Rooms. Who makes one is its host."""

    area = "rooms"
    permission_classes = (InScope,)
    serializer_class = RoomSerializer
    filterset_class = RoomFilter
    lookup_field = "slug"
    lookup_value_regex = "[-a-zA-Z0-9_]+"

    def get_queryset(self) -> QuerySet[Room]:
        """The rooms that the asker may see."""
        user = self.request.user
        if not user.is_authenticated:
            return Room.objects.none()
        return selectors.visible_rooms(user_id=user.pk, operator=user.is_operator).select_related("owner")

    def list(self, request: Request) -> Response:
        """A page of them."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, slug: str) -> Response:
        """One of them."""
        room = selectors.room_by_slug(slug)
        selectors.require_member(room_id=room.pk, **_asker(request))
        return Response(RoomSerializer(room).data)

    @extend_schema(summary="Make a room", responses={201: RoomSerializer, **_REFUSED})
    @idempotent
    def create(self, request: Request) -> Response:
        """The asker becomes its host."""
        body = RoomSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asker = _asker(request)
        passcode = body.validated_data.pop("passcode", "")
        room = services.create_room(owner_id=asker["user_id"], **body.validated_data)
        if passcode:
            room = services.set_passcode(
                actor_id=asker["user_id"], operator=asker["operator"], slug=room.slug, passcode=passcode
            )
        return Response(RoomSerializer(room).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a room (hosts)", request=RoomChangeSerializer, responses={200: RoomSerializer, **_REFUSED}
    )
    def partial_update(self, request: Request, slug: str) -> Response:
        """What is not given stays."""
        body = RoomChangeSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        asker = _asker(request)
        whose: dict[str, Any] = {"actor_id": asker["user_id"], "operator": asker["operator"], "slug": slug}
        passcode = body.validated_data.pop("passcode", None)
        room = services.change_room(**whose, **body.validated_data)
        if passcode is not None:
            room = services.set_passcode(passcode=passcode, **whose)
        return Response(RoomSerializer(room).data)

    @extend_schema(summary="Delete a room in which nobody ever met (hosts)", responses={204: None, **_REFUSED})
    def destroy(self, request: Request, slug: str) -> Response:
        """Rooms with meetings stay."""
        asker = _asker(request)
        services.delete_room(actor_id=asker["user_id"], operator=asker["operator"], slug=slug)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _asker(request: Request) -> dict[str, Any]:
    return {"user_id": request.user.pk, "operator": request.user.is_authenticated and request.user.is_operator}


def join(request: HttpRequest) -> HttpResponse:
    """From whatever somebody pasted into the field (a link, or a room's slug) to the room."""
    text = request.GET.get("q", "").strip()
    path = urlsplit(text).path if "/" in text else text
    found = re.fullmatch(r"(?:.*/r/)?([-a-zA-Z0-9_]{1,64})/?", path)
    return redirect(f"/r/{found[1]}/" if found else "/")

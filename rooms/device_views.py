"""REST entrance to the hardware inventory: for operators, for members of rooms, and for the devices themselves."""

from typing import Any, ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers, status, viewsets
from rest_framework.authentication import get_authorization_header
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import InScope
from common.errors import Forbidden, NotFound
from common.idempotency import idempotent
from common.limits import Limit, address_of
from common.problems import ProblemSerializer
from rooms import inventory, selectors
from rooms.models import Device, Room
from rooms.words import DeviceKind, DeviceState

_REFUSED = dict.fromkeys((400, 401, 403, 404, 409, 429), ProblemSerializer)
ACTIVATIONS = Limit("activations", rate_per_s=0.1, burst=20)
HEARTBEATS = Limit("heartbeats", rate_per_s=1, burst=30)


class DeviceSerializer(serializers.ModelSerializer[Device]):
    """A device."""

    room = serializers.SlugRelatedField(slug_field="slug", queryset=Room.objects.all(), required=False, allow_null=True)

    class Meta:
        model = Device
        fields: ClassVar[tuple[str, ...]] = (
            *("id", "room", "kind", "name", "maker", "model", "serial", "consents"),
            *("state", "firmware", "address", "faults", "last_seen", "participant_id", "created_at"),
        )
        read_only_fields: ClassVar[tuple[str, ...]] = (
            *("id", "state", "firmware", "address", "faults", "last_seen", "participant_id", "created_at"),
        )
        # That a serial number is taken is the service's to say: it knows even when two ask at once.
        validators: ClassVar[list[Any]] = []


class CodeSerializer(serializers.Serializer[dict[str, Any]]):
    """An activation code."""

    code = serializers.CharField(help_text="shown this once; typed into the device")
    until = serializers.DateTimeField()


class ActivationSerializer(serializers.Serializer[dict[str, str]]):
    """What a device says to be activated."""

    code = serializers.CharField(max_length=32)
    serial = serializers.CharField(max_length=80, required=False, allow_blank=True)


class TokenSerializer(serializers.Serializer[dict[str, Any]]):
    """What a device keeps."""

    device_id = serializers.UUIDField()
    token = serializers.CharField(help_text="for `Authorization: Device <token>`; shown this once")


class HeartbeatSerializer(serializers.Serializer[dict[str, Any]]):
    """How a device is."""

    firmware = serializers.CharField(max_length=80, required=False, allow_blank=True)
    address = serializers.IPAddressField(required=False, allow_null=True)
    serial = serializers.CharField(max_length=80, required=False, allow_blank=True)
    faults = serializers.ListField(child=serializers.CharField(max_length=80), required=False, max_length=32)
    participant_id = serializers.UUIDField(required=False, allow_null=True, help_text="who uses it in a meeting now")


class DeviceFilter(django_filters.FilterSet):
    """`?room=slug`, `?kind=`, `?state=`, `?serial=`, `?q=` (begin of a name)."""

    room = django_filters.CharFilter(field_name="room__slug")
    kind = django_filters.ChoiceFilter(choices=DeviceKind.choices)
    state = django_filters.ChoiceFilter(choices=DeviceState.choices)
    serial = django_filters.CharFilter(field_name="serial")
    q = django_filters.CharFilter(field_name="name", lookup_expr="startswith")

    class Meta:
        model = Device
        fields = ("room", "kind", "state", "serial", "q")


@extend_schema_view(list=extend_schema(summary="Devices of my rooms; operators see all"))
class DeviceViewSet(viewsets.GenericViewSet[Device]):
    """The hardware inventory. Operators write it; members of a room read what is in it."""

    area = "devices"
    permission_classes = (InScope,)
    serializer_class = DeviceSerializer
    filterset_class = DeviceFilter
    lookup_value_regex = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    lookup_url_kwarg = "device_id"

    def get_queryset(self) -> QuerySet[Device]:
        """The devices that the asker may see."""
        user = self.request.user
        devices = Device.objects.select_related("room")
        if not user.is_authenticated:
            return devices.none()
        if user.is_operator:
            return devices
        return devices.filter(room__in=selectors.rooms_of(user.pk))

    def list(self, request: Request) -> Response:
        """A page of them, by name."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(summary="One device", responses={200: DeviceSerializer, **_REFUSED})
    def retrieve(self, request: Request, device_id: str) -> Response:
        """Unknown, too, where it is none of the asker's."""
        device = self.get_queryset().filter(pk=device_id).first()
        if device is None:
            raise NotFound("device.unknown", "There is no such device.")
        return Response(DeviceSerializer(device).data)

    @extend_schema(summary="Enter a device (operators)", responses={201: DeviceSerializer, **_REFUSED})
    @idempotent
    def create(self, request: Request) -> Response:
        """It is `new` until it is heard of."""
        _require_operator(request)
        device = inventory.add_device(**self._facts(request, partial=False))
        return Response(DeviceSerializer(device).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Change a device (operators)", responses={200: DeviceSerializer, **_REFUSED})
    def partial_update(self, request: Request, device_id: str) -> Response:
        """What is not given stays."""
        _require_operator(request)
        device = inventory.change_device(device_id=UUID(device_id), **self._facts(request, partial=True))
        return Response(DeviceSerializer(device).data)

    @extend_schema(summary="Retire a device (operators)", responses={200: DeviceSerializer, **_REFUSED}, request=None)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, device_id: str) -> Response:
        """Its record stays."""
        _require_operator(request)
        return Response(DeviceSerializer(inventory.retire_device(device_id=UUID(device_id))).data)

    @extend_schema(summary="A code to activate a device (operators)", request=None, responses={201: CodeSerializer})
    @action(detail=True, methods=["post"])
    def code(self, request: Request, device_id: str) -> Response:
        """Once, for half an hour."""
        _require_operator(request)
        code, until = inventory.issue_code(device_id=UUID(device_id))
        return Response(CodeSerializer({"code": code, "until": until}).data, status=status.HTTP_201_CREATED)

    def _facts(self, request: Request, *, partial: bool) -> Any:
        body = DeviceSerializer(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        facts: dict[str, Any] = dict(body.validated_data)
        if "room" in facts:
            room = facts.pop("room")
            facts["room_id"] = room.pk if room else None
        return facts


class ActivateView(APIView):
    """Where a device becomes one of ours."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        summary="Exchange a code for a device's token",
        request=ActivationSerializer,
        responses={201: TokenSerializer, **_REFUSED},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Limited by address."""
        ACTIVATIONS.take(address_of(request))
        body = ActivationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        device, token = inventory.activate(**body.validated_data)
        return Response(TokenSerializer({"device_id": device.pk, "token": token}).data, status=201)


class HeartbeatView(APIView):
    """Where a device says how it is."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        summary="How a device is, each ten seconds, with its own token",
        request=HeartbeatSerializer,
        parameters=[OpenApiParameter("Authorization", str, OpenApiParameter.HEADER, description="`Device <token>`")],
        responses={200: DeviceSerializer, **_REFUSED},
        auth=[],
    )
    def post(self, request: Request, device_id: UUID) -> Response:
        """Answered with its record, so that it knows its room and name."""
        HEARTBEATS.take(str(device_id))
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        body = HeartbeatSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        device = inventory.note_heartbeat(
            device_id=device_id, token=token if scheme.lower() == "device" else "", **body.validated_data
        )
        return Response(DeviceSerializer(device).data)


def _require_operator(request: Request) -> None:
    """Raise Forbidden (`operator.only`)."""
    if not (request.user.is_authenticated and request.user.is_operator):
        raise Forbidden("operator.only", "Only operators may do this.")

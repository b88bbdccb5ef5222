"""REST entrance to meetings."""

import secrets
from dataclasses import replace
from typing import Any, Literal, get_args
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import InScope, name_of
from common.errors import Malformed
from common.idempotency import idempotent
from common.limits import Limit, address_of
from common.problems import ProblemSerializer
from conference import selectors, services
from conference.models import ChatMessage, Entry, Meeting, Participant
from conference.selectors import Actor, role_word
from conference.serializers import (
    AdmissionSerializer,
    ChatMessageSerializer,
    CommandSerializer,
    EntrySerializer,
    IceServersSerializer,
    MeetingSerializer,
    MuteAllSerializer,
    MutedAllSerializer,
    OutcomeSerializer,
    ParticipantSerializer,
    SaySerializer,
    TicketRequestSerializer,
)
from rooms.selectors import require_member, room_by_slug

Verb = Literal[
    "mute",
    "unmute",
    "camera-on",
    "camera-off",
    "stop-share",
    "lower-hand",
    "remove",
    "ban",
    "admit",
    "deny",
    "move-to-lobby",
    "rename",
    "set-role",
    "spotlight",
]
MeetingVerb = Literal["lock", "unlock", "lower-hands", "admit-all", "end-spotlight"]
VISITOR = "quorum_visitor"
"""The cookie that tells one browser from another, so that a ban of somebody without an account holds."""
VISITOR_FOR_S = 365 * 24 * 3600
REFUSED = dict.fromkeys((400, 401, 403, 404, 409, 429), ProblemSerializer)
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER, description="sent again with it, done once"
)

TICKETS = Limit("tickets", rate_per_s=2, burst=120)
"""An office behind one address enters a town hall at nine; a script that fills the table is stopped."""


PASSCODES = Limit("passcodes", rate_per_s=0.1, burst=10)
"""Tries of one address at one room: nobody locks out somebody else."""


def actor_of(request: Request) -> Actor:
    """Who asks: a user, an integration by its key's name, or a stranger."""
    user = request.user
    if not user.is_authenticated:
        return Actor(visitor=request.get_signed_cookie(VISITOR, default="", salt=VISITOR) or "")
    return Actor(user_id=user.pk, operator=user.is_operator, name=name_of(request))


class MeetingFilter(django_filters.FilterSet):
    """`?room=slug`, `?open=true`."""

    room = django_filters.CharFilter(field_name="room__slug")
    open = django_filters.BooleanFilter(field_name="ended_at", lookup_expr="isnull")

    class Meta:
        model = Meeting
        fields = ("room", "open")


class MeetingsView(GenericAPIView[Meeting]):
    """Meetings that the asker may see."""

    area = "meetings"
    permission_classes = (InScope,)
    serializer_class = MeetingSerializer
    filterset_class = MeetingFilter

    def get_queryset(self) -> QuerySet[Meeting]:
        """Of the asker's rooms, and those they were in."""
        return selectors.visible_meetings(actor_of(self.request))

    @extend_schema(summary="Meetings, latest first", responses=MeetingSerializer(many=True))
    def get(self, request: Request) -> Response:
        """A page of them."""
        return _page(self, self.filter_queryset(self.get_queryset()))


class RoomMeetingsView(GenericAPIView[Meeting]):
    """Meetings of one room."""

    area = "meetings"
    permission_classes = (InScope,)
    serializer_class = MeetingSerializer
    filter_backends = ()
    queryset = Meeting.objects.none()

    @extend_schema(summary="Meetings of a room, latest first", responses=MeetingSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """A page of them."""
        actor = actor_of(request)
        room = room_by_slug(slug)
        require_member(room_id=room.pk, user_id=actor.user_id, operator=actor.operator)
        return _page(self, selectors.visible_meetings(actor).filter(room_id=room.pk))

    @extend_schema(
        summary="Start a meeting; where one runs already, that is the answer (200)",
        request=None,
        parameters=[IDEMPOTENCY],
        responses={201: MeetingSerializer, 200: MeetingSerializer, **REFUSED},
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Hosts, or whoever the room lets."""
        meeting, started = services.start_meeting(actor=actor_of(request), slug=slug)
        return Response(MeetingSerializer(meeting).data, status=201 if started else 200)


class TicketsView(APIView):
    """The way in, for everybody."""

    area = "meetings"
    open_to_all = True
    permission_classes = (InScope,)

    @extend_schema(
        summary="A ticket to the meeting of a room, for guests too",
        request=TicketRequestSerializer,
        parameters=[IDEMPOTENCY],
        responses={201: AdmissionSerializer, **REFUSED},
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Limited by address."""
        TICKETS.take(address_of(request))
        body = TicketRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        actor = actor_of(request)
        name = body.validated_data.get("name") or actor.name
        passcode = body.validated_data.get("passcode", "")
        if passcode:
            PASSCODES.take(f"{address_of(request)} {slug}")
        stranger = actor.user_id is None and not actor.visitor
        if stranger:
            actor = replace(actor, visitor=secrets.token_urlsafe(16))
        admission = services.issue_ticket(actor=actor, slug=slug, name=name, passcode=passcode)
        answer = Response(AdmissionSerializer(admission).data, status=201)
        if stranger:
            answer.set_signed_cookie(
                VISITOR,
                actor.visitor,
                salt=VISITOR,
                max_age=VISITOR_FOR_S,
                httponly=True,
                samesite="Lax",
                secure=request.is_secure(),
            )
        return answer


class MeetingView(APIView):
    """One meeting."""

    area = "meetings"
    permission_classes = (InScope,)

    @extend_schema(summary="One meeting", responses={200: MeetingSerializer, **REFUSED})
    def get(self, request: Request, meeting_id: UUID) -> Response:
        """With the number of people in it."""
        actor = actor_of(request)
        meeting = selectors.require_seen(meeting_id=meeting_id, actor=actor)
        return Response(MeetingSerializer(selectors.with_people(meeting)).data)


class EndView(APIView):
    """The end of a meeting."""

    area = "meetings"
    permission_classes = (InScope,)

    @extend_schema(summary="End a meeting (hosts)", request=None, responses={200: MeetingSerializer, **REFUSED})
    @idempotent
    def post(self, request: Request, meeting_id: UUID) -> Response:
        """Ending it again changes nothing."""
        meeting = services.end_meeting(actor=actor_of(request), meeting_id=meeting_id)
        return Response(MeetingSerializer(meeting).data)


class MuteAllView(APIView):
    """Silence."""

    area = "meetings"
    permission_classes = (InScope,)

    @extend_schema(
        summary="Mute everybody but oneself (hosts)",
        request=MuteAllSerializer,
        responses={200: MutedAllSerializer, **REFUSED},
    )
    @idempotent
    def post(self, request: Request, meeting_id: UUID) -> Response:
        """How many were muted by it."""
        body = MuteAllSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        spared = body.validated_data.get("spared", ())
        return Response({"muted": services.mute_all(actor=actor_of(request), meeting_id=meeting_id, spared=spared)})


class MeetingCommandView(APIView):
    """A command to a meeting as a whole."""

    area = "meetings"
    permission_classes = (InScope,)

    @extend_schema(
        summary="Lock, unlock, lower all hands, let in everybody who waits, or end the spotlight (hosts)",
        request=None,
        parameters=[OpenApiParameter("verb", str, OpenApiParameter.PATH, enum=list(get_args(MeetingVerb)))],
        responses={200: OutcomeSerializer, **REFUSED},
    )
    @idempotent
    def post(self, request: Request, meeting_id: UUID, verb: MeetingVerb) -> Response:
        """Through the same services as the socket's messages."""
        where: dict[str, Any] = {"actor": actor_of(request), "meeting_id": meeting_id}
        match verb:
            case "lock" | "unlock":
                services.set_locked(locked=verb == "lock", **where)
            case "lower-hands":
                services.lower_hands(**where)
            case "admit-all":
                services.admit_all(**where)
            case "end-spotlight":
                services.set_spotlight(participant_id=None, **where)
        return Response({"outcome": "applied"})


class _Part(GenericAPIView[Any]):
    """A list that belongs to one meeting."""

    area = "meetings"
    permission_classes = (InScope,)
    filter_backends = ()

    def seen(self, request: Request, meeting_id: UUID) -> Meeting:
        """The meeting, for those who may see it."""
        return selectors.require_seen(meeting_id=meeting_id, actor=actor_of(request))


class ParticipantsView(_Part):
    """People of a meeting."""

    serializer_class = ParticipantSerializer
    queryset = Participant.objects.none()

    @extend_schema(
        summary="Who is and who was in a meeting",
        responses=ParticipantSerializer(many=True),
        parameters=[
            OpenApiParameter("state", str, enum=["present", "waiting", "lost", "left", "removed"]),
            OpenApiParameter("hand", str, enum=["raised"], description="raised hands alone, first raised first"),
        ],
    )
    def get(self, request: Request, meeting_id: UUID) -> Response:
        """`?state=present` for who is in it now, `?hand=raised` for who wants to speak."""
        meeting = self.seen(request, meeting_id)
        hands = request.query_params.get("hand") == "raised"
        people = selectors.raised_hands_of(meeting.pk) if hands else selectors.participants_of(meeting.pk)
        if state := request.query_params.get("state"):
            people = people.filter(state=state)
        return _page(self, people)


class ParticipantView(_Part):
    """One person of a meeting."""

    serializer_class = ParticipantSerializer
    queryset = Participant.objects.none()

    @extend_schema(summary="One person of a meeting", responses={200: ParticipantSerializer, **REFUSED})
    def get(self, request: Request, meeting_id: UUID, participant_id: UUID) -> Response:
        """Whether they are inside or not."""
        participant = selectors.participant_of(self.seen(request, meeting_id), participant_id)
        return Response(ParticipantSerializer(participant).data)


class CommandView(APIView):
    """A command to one person of a meeting."""

    area = "meetings"
    permission_classes = (InScope,)

    @extend_schema(
        summary="Command one person's microphone, camera, screen, hand, name, role or place (hosts; oneself always)",
        description="What restricts is applied. To be heard or seen again others are asked: `requested`. "
        "`rename` needs `name`, `set-role` needs `role`.",
        request=CommandSerializer,
        parameters=[
            OpenApiParameter(
                "verb",
                str,
                OpenApiParameter.PATH,
                enum=list(get_args(Verb)),
            )
        ],
        responses={200: OutcomeSerializer, **REFUSED},
    )
    @idempotent
    def post(self, request: Request, meeting_id: UUID, participant_id: UUID, verb: Verb) -> Response:
        """Through the same services as the socket's messages."""
        whom: dict[str, Any] = {
            "actor": actor_of(request),
            "meeting_id": meeting_id,
            "participant_id": participant_id,
        }
        outcome: services.Outcome = "applied"
        match verb:
            case "mute" | "unmute":
                outcome = services.set_muted(muted=verb == "mute", **whom)
            case "camera-on" | "camera-off":
                outcome = services.set_camera(on=verb == "camera-on", **whom)
            case "stop-share":
                services.set_screen(on=False, **whom)
            case "lower-hand":
                services.raise_hand(raised=False, **whom)
            case "remove" | "ban":
                services.remove_participant(ban=verb == "ban", **whom)
            case "admit" | "deny":
                services.admit(admitted=verb == "admit", **whom)
            case "move-to-lobby":
                services.move_to_lobby(**whom)
            case "spotlight":
                services.set_spotlight(**whom)
            case "rename":
                services.rename(name=_given(request, "name"), **whom)
            case "set-role":
                services.set_role(role=role_word(_given(request, "role")), **whom)
        return Response({"outcome": outcome})


class JournalView(_Part):
    """The journal of a meeting."""

    serializer_class = EntrySerializer
    queryset = Entry.objects.none()

    @extend_schema(
        summary="What happened, in order",
        responses=EntrySerializer(many=True),
        parameters=[OpenApiParameter("after", int, description="only lines past this sequence")],
    )
    def get(self, request: Request, meeting_id: UUID) -> Response:
        """Oldest first."""
        entries = selectors.journal_of(self.seen(request, meeting_id).pk)
        if after := request.query_params.get("after"):
            if not after.isdigit() or len(after) > 18:
                raise Malformed("request.invalid", "`after` is a sequence, a whole number.")
            entries = entries.filter(sequence__gt=int(after))
        return _page(self, entries)


class MessagesView(_Part):
    """The chat of a meeting."""

    serializer_class = ChatMessageSerializer
    queryset = ChatMessage.objects.none()

    @extend_schema(
        summary="The chat, oldest first",
        responses=ChatMessageSerializer(many=True),
        parameters=[OpenApiParameter("q", str, description="part of the text")],
    )
    def get(self, request: Request, meeting_id: UUID) -> Response:
        """`?q=` searches."""
        messages = selectors.messages_of(self.seen(request, meeting_id).pk)
        if wanted := request.query_params.get("q"):
            messages = messages.filter(text__icontains=wanted)
        return _page(self, messages)

    @extend_schema(
        summary="Write to everybody (people inside)",
        request=SaySerializer,
        parameters=[IDEMPOTENCY],
        responses={201: ChatMessageSerializer, **REFUSED},
    )
    @idempotent
    def post(self, request: Request, meeting_id: UUID) -> Response:
        """The sender chooses the id."""
        body = SaySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = services.say(
            actor=actor_of(request),
            meeting_id=meeting_id,
            client_id=body.validated_data["id"],
            text=body.validated_data["text"],
        )
        return Response(ChatMessageSerializer(said).data, status=201)


class IceServersView(APIView):
    """STUN and TURN."""

    area = "meetings"
    permission_classes = (InScope,)

    @extend_schema(summary="ICE servers for a browser's connections", responses={200: IceServersSerializer, **REFUSED})
    def get(self, request: Request) -> Response:
        """Often none: the relay has addresses of its own."""
        return Response({"ice_servers": list(selectors.ice_servers())})


def _given(request: Request, field: str) -> str:
    """A field of a command's body. Raise what the serializer raises where it is absent or wrong."""
    body = CommandSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    if field not in body.validated_data:
        raise Malformed("request.invalid", f"This command needs `{field}`.")
    return str(body.validated_data[field])


def _page(view: GenericAPIView[Any], rows: QuerySet[Any]) -> Response:
    page = view.paginate_queryset(rows)
    return view.get_paginated_response(view.get_serializer(page, many=True).data)

"""REST shapes of meetings."""

import json
from typing import Any, ClassVar

from rest_framework import serializers

from conference.models import ChatMessage, Entry, Meeting, Participant
from conference.services import NAME_CHARACTERS, Admission


class MeetingSerializer(serializers.ModelSerializer[Meeting]):
    """A meeting."""

    room = serializers.CharField(source="room.slug", read_only=True)
    people = serializers.IntegerField(read_only=True, default=0, help_text="in it now")

    class Meta:
        model = Meeting
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "room",
            "started_at",
            "ended_at",
            "sequence",
            "relay_epoch",
            "relay_node",
            "people",
            "locked",
            "spotlight",
        )
        read_only_fields: ClassVar[tuple[str, ...]] = fields


class ParticipantSerializer(serializers.ModelSerializer[Participant]):
    """Someone who is or was in a meeting."""

    class Meta:
        model = Participant
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "name",
            "role",
            "state",
            "muted",
            "camera_on",
            "sharing",
            "hand_raised_at",
            "joined_at",
            "left_at",
        )
        read_only_fields: ClassVar[tuple[str, ...]] = fields


class TicketRequestSerializer(serializers.Serializer[dict[str, Any]]):
    """Who wants to come in."""

    name = serializers.CharField(
        max_length=NAME_CHARACTERS, required=False, allow_blank=True, help_text="guests must; others have one already"
    )
    passcode = serializers.CharField(
        max_length=64, required=False, allow_blank=True, trim_whitespace=False, help_text="where the room asks for one"
    )


class CommandSerializer(serializers.Serializer[dict[str, str]]):
    """What some commands need besides their verb."""

    name = serializers.CharField(required=False, max_length=NAME_CHARACTERS, help_text="`rename`: the new name")
    role = serializers.ChoiceField(
        required=False, choices=("host", "cohost", "member", "guest"), help_text="`set-role`: until the meeting ends"
    )


class MuteAllSerializer(serializers.Serializer[dict[str, Any]]):
    """Who stays unmuted."""

    spared = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=1000, help_text="ids of participants"
    )


class AdmissionSerializer(serializers.Serializer[Admission]):
    """The ticket, and where to go with it."""

    ticket = serializers.CharField()
    meeting_id = serializers.UUIDField()
    participant_id = serializers.UUIDField()
    role = serializers.ChoiceField(choices=("host", "cohost", "member", "guest"))
    socket_path = serializers.SerializerMethodField()

    def get_socket_path(self, admission: Admission) -> str:
        """Of the meeting's WebSocket."""
        return f"/ws/meetings/{admission.meeting_id}/"


class OutcomeSerializer(serializers.Serializer[dict[str, str]]):
    """What became of a command."""

    outcome = serializers.ChoiceField(
        choices=("applied", "requested"), help_text="`requested`: the person is asked, only they can do it"
    )


class MutedAllSerializer(serializers.Serializer[dict[str, int]]):
    """What became of mute-all."""

    muted = serializers.IntegerField(help_text="how many people were muted by it")


class EntrySerializer(serializers.ModelSerializer[Entry]):
    """A line of the journal."""

    line = serializers.SerializerMethodField()

    class Meta:
        model = Entry
        fields: ClassVar[tuple[str, ...]] = ("sequence", "at", "line")
        read_only_fields: ClassVar[tuple[str, ...]] = fields

    def get_line(self, entry: Entry) -> dict[str, Any]:
        """As it was said on the socket."""
        line: dict[str, Any] = json.loads(entry.body)
        return line


class ChatMessageSerializer(serializers.ModelSerializer[ChatMessage]):
    """A chat message."""

    id = serializers.CharField(source="client_id", read_only=True)
    participant_id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(source="participant.name", read_only=True)

    class Meta:
        model = ChatMessage
        fields: ClassVar[tuple[str, ...]] = ("id", "participant_id", "name", "text", "at", "sequence")
        read_only_fields: ClassVar[tuple[str, ...]] = fields


class SaySerializer(serializers.Serializer[dict[str, str]]):
    """A chat message to be sent; the same id again changes nothing."""

    id = serializers.CharField(max_length=64)
    text = serializers.CharField(max_length=4000, trim_whitespace=False)


class IceServerSerializer(serializers.Serializer[dict[str, Any]]):
    """An RTCIceServer of WebRTC."""

    urls = serializers.ListField(child=serializers.CharField())
    username = serializers.CharField(required=False)
    credential = serializers.CharField(required=False)


class IceServersSerializer(serializers.Serializer[dict[str, Any]]):
    """What a browser gives to its connections."""

    ice_servers = IceServerSerializer(many=True)


class NodeSerializer(serializers.Serializer[Any]):
    """A media worker."""

    node = serializers.CharField()
    host = serializers.CharField(help_text="the machine; empty where its relay is gone")
    health = serializers.ChoiceField(
        choices=("alive", "gone"), help_text="`gone`: meetings were there last, and it does not show itself"
    )
    draining = serializers.BooleanField(help_text="carries nothing new, and its meetings move away")
    connections = serializers.IntegerField(help_text="its load")
    meetings = serializers.IntegerField(help_text="that run on it")

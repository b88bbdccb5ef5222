"""Meetings, who is in them, and the journal of what happened."""

from django.conf import settings
from django.db import models

from common.ids import new_id


class Meeting(models.Model):
    """One sitting in a room, from start to end. Its row is the lock of everything that changes in it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    room = models.ForeignKey("rooms.Room", on_delete=models.PROTECT, related_name="meetings")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    sequence = models.PositiveBigIntegerField(default=0, help_text="of the journal's last line")
    relay_epoch = models.PositiveIntegerField(default=0, help_text="rises each time another relay takes over")
    relay_node = models.CharField(max_length=64, blank=True, help_text="the media worker that carries it")
    locked = models.BooleanField(default=False, help_text="nobody new comes in")
    spotlight = models.UUIDField(null=True, blank=True, help_text="the participant whom everybody sees large")

    class Meta:
        ordering = ("-started_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("room",), condition=models.Q(ended_at=None), name="one_open_meeting_per_room"
            ),
        )

    def __str__(self) -> str:
        return f"{self.room} {self.started_at:%Y-%m-%d %H:%M}"


class Participant(models.Model):
    """Someone who was given a ticket to a meeting, and what we want the relay to do with their tracks."""

    class State(models.TextChoices):
        """Where they are. Their ticket is good while they are invited or present, or were lost."""

        INVITED = "invited"
        WAITING = "waiting"
        DENIED = "denied"
        PRESENT = "present"
        LOST = "lost"
        LEFT = "left"
        REMOVED = "removed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="participants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="participations"
    )
    name = models.CharField(max_length=80)
    role = models.CharField(max_length=8)
    state = models.CharField(max_length=8, choices=State, default=State.INVITED)
    muted = models.BooleanField(default=False)
    camera_on = models.BooleanField(default=True)
    sharing = models.BooleanField(default=False, help_text="a screen of theirs is shared")
    hand_raised_at = models.DateTimeField(null=True, blank=True, help_text="hands are called in this order")
    invited_at = models.DateTimeField()
    joined_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    admitted = models.BooleanField(default=False, help_text="a host let them in, so no lock keeps them out")
    visitor = models.CharField(max_length=64, blank=True, help_text="the browser of somebody without an account")
    absent_since = models.DateTimeField(
        null=True, blank=True, help_text="neither socket nor media was seen since; cleared when they are back"
    )

    class Meta:
        ordering = ("joined_at", "id")
        indexes = (models.Index(fields=("meeting", "state"), name="participants_by_state"),)

    def __str__(self) -> str:
        return self.name


class Ban(models.Model):
    """Somebody who was sent out and is kept out of the meeting: by account, else by browser."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="bans")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True)
    visitor = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=80)
    at = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        indexes = (models.Index(fields=("meeting", "visitor"), name="bans_by_visitor"),)

    def __str__(self) -> str:
        return self.name


class Entry(models.Model):
    """One line of a meeting's journal. Append-only; the sequence has no gaps."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="journal")
    sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    body = models.TextField(help_text="the line as it was said on the sockets")

    class Meta:
        ordering = ("meeting", "sequence")
        verbose_name_plural = "journal"
        constraints = (models.UniqueConstraint(fields=("meeting", "sequence"), name="one_line_per_number"),)

    def __str__(self) -> str:
        return f"{self.sequence}"


class ChatMessage(models.Model):
    """What somebody wrote; the searchable copy of a journal line."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="chat")
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="chat")
    client_id = models.CharField(max_length=64, help_text="chosen by the browser, so that saying it twice is once")
    sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    text = models.TextField(max_length=4000)

    class Meta:
        ordering = ("meeting", "sequence")
        constraints = (models.UniqueConstraint(fields=("participant", "client_id"), name="one_message_per_client_id"),)

    def __str__(self) -> str:
        return self.text[:60]

"""Tickets: who may enter one meeting as one participant, signed, for people with and without an account.

A ticket says nothing that the participant's row does not say better; it only proves that its bearer is that
participant. It is revoked through that row.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.core import signing

from common.errors import Unknown

LIFETIME = timedelta(hours=12)
"""The longest sitting that somebody may come back to without asking again."""
_SALT = "quorum.ticket.1"


@dataclass(frozen=True, slots=True)
class Ticket:
    """The bearer is this participant of this meeting, until then."""

    participant_id: UUID
    meeting_id: UUID
    role: str
    expires_at: datetime


def sign(ticket: Ticket) -> str:
    """The ticket as text, about 200 characters, safe in a URL."""
    expiry = int(ticket.expires_at.timestamp())
    return signing.dumps([ticket.participant_id.hex, ticket.meeting_id.hex, ticket.role, expiry], salt=_SALT)


def read(text: str, *, meeting_id: UUID, now: datetime) -> Ticket:
    """The ticket that was signed for this meeting.

    Raise Unknown: `ticket.invalid` when it is forged or another meeting's, `ticket.expired` when it is too old.
    """
    try:
        participant, meeting, role, expiry = signing.loads(text, salt=_SALT)
    except (signing.BadSignature, ValueError):
        raise Unknown("ticket.invalid", "This ticket is not one of ours.") from None
    ticket = Ticket(UUID(participant), UUID(meeting), role, datetime.fromtimestamp(expiry, UTC))
    if ticket.meeting_id != meeting_id:
        raise Unknown("ticket.invalid", "This ticket is not for this meeting.")
    if ticket.expires_at <= now:
        raise Unknown("ticket.expired", "This ticket has expired.")
    return ticket

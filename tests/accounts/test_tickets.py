"""Tickets prove who their bearer is, to one meeting, for some hours."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from accounts import tickets
from accounts.tickets import Ticket
from common.errors import Unknown

NOW = datetime(2030, 1, 1, tzinfo=UTC)
TICKET = Ticket(uuid4(), uuid4(), "guest", NOW + timedelta(hours=1))


def test_what_was_signed_is_read() -> None:
    assert tickets.read(tickets.sign(TICKET), meeting_id=TICKET.meeting_id, now=NOW) == TICKET


def test_a_ticket_fits_a_join_message() -> None:
    assert len(tickets.sign(TICKET)) < 300


def test_an_expired_ticket_is_refused() -> None:
    with pytest.raises(Unknown) as no:
        tickets.read(tickets.sign(TICKET), meeting_id=TICKET.meeting_id, now=TICKET.expires_at)
    assert no.value.code == "ticket.expired"


def test_another_meetings_ticket_is_refused() -> None:
    with pytest.raises(Unknown) as no:
        tickets.read(tickets.sign(TICKET), meeting_id=uuid4(), now=NOW)
    assert no.value.code == "ticket.invalid"


def test_a_ticket_changed_anywhere_is_refused() -> None:
    text = tickets.sign(TICKET)
    for at in range(len(text)):
        forged = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        # The last character of base64 holds bits that mean nothing; all others count.
        if at < len(text) - 1:
            with pytest.raises(Unknown):
                tickets.read(forged, meeting_id=TICKET.meeting_id, now=NOW)


def test_something_else_that_we_signed_is_no_ticket() -> None:
    from django.core import signing

    with pytest.raises(Unknown):
        tickets.read(signing.dumps(["a"], salt="another"), meeting_id=TICKET.meeting_id, now=NOW)

"""The journal: announcement, audit and resume point in one.

A line is written in the transaction of what it tells, under the meeting's lock, and said after its commit.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from common import events
from common.transactions import off_loop
from common.wire import encode
from conference import metrics, presence
from conference.models import Entry, Meeting
from conference.protocol import Line
from conference.selectors import head_of, lines_after, milliseconds, topic_of


def announce(meeting: Meeting, at: datetime, line: Callable[[int, int], Line]) -> int:
    """Write the next line and say it after commit; the meeting's row must be locked.

    `line` makes it of a sequence and of milliseconds since 1970. Returns the sequence.
    """
    meeting.sequence += 1
    meeting.save(update_fields=["sequence"])
    said = line(meeting.sequence, milliseconds(at))
    text = encode(said)
    Entry.objects.create(meeting=meeting, sequence=meeting.sequence, at=at, body=text)
    events.publish_on_commit(topic_of(meeting.pk), meeting.sequence, text)
    metrics.lines.labels(type=str(said.__struct_config__.tag)).inc()
    return meeting.sequence


class JournalSource:
    """A meeting's journal as the hub's source of truth; the keys of its followers are participant ids."""

    def __init__(self, meeting_id: UUID) -> None:
        self._meeting_id = meeting_id

    async def head(self) -> int:
        """The last sequence."""
        return await off_loop(head_of)(self._meeting_id)

    async def lines_after(self, sequence: int) -> list[tuple[int, str]]:
        """Lines past it."""
        return await off_loop(lines_after)(self._meeting_id, sequence)

    async def beat(self, keys: list[str]) -> None:
        """Whose socket is here is present."""
        await presence.seen(set(keys))

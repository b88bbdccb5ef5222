"""What people write."""

from uuid import UUID

from common.clock import now
from common.errors import Forbidden, Malformed
from common.transactions import atomically
from conference import protocol
from conference.journal import announce
from conference.models import ChatMessage
from conference.selectors import Actor, standing_of
from conference.services.shared import opened


@atomically
def say(*, actor: Actor, meeting_id: UUID, client_id: str, text: str) -> ChatMessage:
    """Write to everybody. Saying the same id again changes nothing.

    Raises NotFound, Forbidden (`meeting.inside-only`), Malformed (`message.blank`), Conflict (`meeting.over`).
    """
    meeting = opened(meeting_id)
    author = standing_of(meeting, actor).participant
    if author is None:
        raise Forbidden("meeting.inside-only", "Only people inside the meeting write.")
    if not text.strip():
        raise Malformed("message.blank", "There is nothing in this message.")
    said = ChatMessage.objects.filter(participant=author, client_id=client_id).first()
    if said is not None:
        return said
    moment = now()
    sequence = announce(
        meeting,
        moment,
        lambda sequence, at: protocol.Said(
            sequence=sequence, at=at, id=client_id, participant_id=str(author.pk), name=author.name, text=text
        ),
    )
    return ChatMessage.objects.create(
        meeting=meeting, participant=author, client_id=client_id, sequence=sequence, at=moment, text=text
    )

"""One browser's side of the meeting socket, as a state machine. No sockets, no clock, no database.

    outside ── join ──> entering ── entered ──> inside ── leave ──> gone
                          │  ↑ └── refused: the socket is closed
                  waits   ↓  │ decided
                         waiting

`receive` takes a frame and says what the shell must do next, as a value; or raises the Refusal that the shell answers
with, and `closing_code` says whether it then hangs up. Time is an argument, in seconds of any monotonic clock.
"""

from dataclasses import dataclass
from typing import Literal

from common.errors import Conflict, Malformed, Refusal, TooMany, Unknown
from conference import protocol, verbs

MESSAGES_PER_S = 20.0
MESSAGES_AT_ONCE = 60.0
"""A page that loads says some ten messages at once; a person clicking fast, five a second."""
FLOOD_S = 3.0
"""Who goes on this long after being told to slow down is hung up on."""
FLOOD_PAUSE_S = 1.0
"""A second without an excess message ends a flood."""
JOIN_WITHIN_S = 10.0
"""A socket that does not join is closed."""


@dataclass(frozen=True, slots=True)
class Enter:
    """Join the meeting with this ticket; then call `entered`. Any refusal closes the socket."""

    ticket: str
    seen: int | None


@dataclass(frozen=True, slots=True)
class Replay:
    """Say every line past `seen` again."""

    seen: int


@dataclass(frozen=True, slots=True)
class Negotiate:
    """Hand the offer to the relay that carries the meeting."""

    offer: protocol.Offer


@dataclass(frozen=True, slots=True)
class SetMuted:
    """Ask the service; answer `id`, where there is one, with Done."""

    participant_id: str
    muted: bool
    id: str | None


@dataclass(frozen=True, slots=True)
class SetCamera:
    """Ask the service; answer `id`, where there is one, with Done."""

    participant_id: str
    on: bool
    id: str | None


@dataclass(frozen=True, slots=True)
class SetScreen:
    """Ask the service; answer `id`, where there is one, with Done."""

    participant_id: str
    on: bool
    id: str | None


@dataclass(frozen=True, slots=True)
class SetHand:
    """Ask the service; answer `id`, where there is one, with Done."""

    participant_id: str
    raised: bool
    id: str | None


@dataclass(frozen=True, slots=True)
class TellViews:
    """Tell the relay what the page shows; the latest counts, so several may become one."""

    views: tuple[protocol.View, ...]


@dataclass(frozen=True, slots=True)
class SayText:
    """Ask the service; answer `id` with Done."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """Ask the service that this message names; answer its `id`, where there is one, with Done."""

    message: verbs.Command


@dataclass(frozen=True, slots=True)
class LeaveMeeting:
    """Leave, then close the socket."""


@dataclass(frozen=True, slots=True)
class EndMeeting:
    """End it for everybody."""

    id: str | None


Effect = (
    Enter
    | Replay
    | Negotiate
    | SetMuted
    | SetCamera
    | SetScreen
    | SetHand
    | TellViews
    | SayText
    | Command
    | LeaveMeeting
    | EndMeeting
)
State = Literal["outside", "entering", "waiting", "inside", "gone"]


class Session:
    """Made when the socket opens, at `now`."""

    def __init__(self, now: float) -> None:
        self.state: State = "outside"
        self.request_id: str | None = None
        """That of the message received last, for the Refused that may follow."""
        self._tokens = MESSAGES_AT_ONCE
        self._at = now
        self._flood_since: float | None = None
        self._flood_last = now

    def receive(self, text: str | None, now: float) -> Effect:
        """What one frame asks for; None is a binary frame.

        Raise TooMany (`messages.too-many`), Malformed (`message.too-large`, `message.binary`, `message.malformed`,
        `message.version`), Conflict (`session.out-of-turn`, `participant.waiting`).
        """
        self.request_id = None
        self._count(now)
        if text is None:
            raise Malformed("message.binary", "Messages are text.")
        # A character is at least a byte, so most frames need no second look.
        if len(text) > protocol.MAX_FRAME_BYTES or len(text.encode()) > protocol.MAX_FRAME_BYTES:
            raise Malformed("message.too-large", f"A message has at most {protocol.MAX_FRAME_BYTES} bytes.")
        message = protocol.from_browser.decode(text)
        self.request_id = getattr(message, "id", None)
        if self.state == "waiting" and not isinstance(message, protocol.Join):
            if isinstance(message, protocol.Leave):
                return self._effect(message)
            raise Conflict("participant.waiting", "A host has to let you in first.")
        if self.state != ("outside" if isinstance(message, protocol.Join) else "inside"):
            raise Conflict("session.out-of-turn", "Join first, and once.")
        return self._effect(message)

    def entered(self) -> None:
        """The service let them in."""
        self.state = "inside"

    def waits(self) -> None:
        """The service has them wait."""
        self.state = "waiting"

    def decided(self) -> None:
        """Somebody decided about them: the shell asks the service again."""
        self.state = "entering"

    def closing_code(self, refusal: Refusal, now: float) -> int | None:
        """The code to close the socket with after this refusal was said; None keeps it open."""
        if self.state == "entering" or isinstance(refusal, Unknown) or refusal.code == "message.too-large":
            return 4000 + refusal.status
        if isinstance(refusal, TooMany) and self._flood_since is not None and now - self._flood_since >= FLOOD_S:
            return 4000 + refusal.status
        return None

    def _count(self, now: float) -> None:
        self._tokens = min(MESSAGES_AT_ONCE, self._tokens + (now - self._at) * MESSAGES_PER_S)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return
        if self._flood_since is None or now - self._flood_last > FLOOD_PAUSE_S:
            self._flood_since = now
        self._flood_last = now
        raise TooMany("messages.too-many", "Slower, please.", retry_after_s=1 / MESSAGES_PER_S)

    def _effect(self, message: protocol.FromBrowser) -> Effect:
        match message:
            case protocol.Join(ticket=ticket, version=version, seen=seen):
                if version != protocol.VERSION:
                    raise Malformed(
                        "message.version", f"This server speaks version {protocol.VERSION}; reload the page."
                    )
                self.state = "entering"
                return Enter(ticket, seen)
            case protocol.Resume(seen=seen):
                return Replay(seen)
            case protocol.Offer():
                return Negotiate(message)
            case protocol.Mute(participant_id=participant_id, muted=muted, id=id_):
                return SetMuted(participant_id, muted, id_)
            case protocol.SwitchCamera(participant_id=participant_id, on=on, id=id_):
                return SetCamera(participant_id, on, id_)
            case protocol.SwitchScreen(participant_id=participant_id, on=on, id=id_):
                return SetScreen(participant_id, on, id_)
            case protocol.RaiseHand(participant_id=participant_id, raised=raised, id=id_):
                return SetHand(participant_id, raised, id_)
            case protocol.Watch(views=views):
                return TellViews(views)
            case protocol.Say(id=id_, text=text):
                return SayText(id_, text)
            case protocol.Leave():
                self.state = "gone"
                return LeaveMeeting()
            case protocol.End(id=id_):
                return EndMeeting(id_)
            case _:
                return Command(message)

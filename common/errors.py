"""The tree of refusals. A refusal is an expected no; anything else is a defect and is left to crash.

Refusal                 REST   socket close
├── Malformed           400    4400   not understood, or outside its limits
├── Unknown             401    4401   we do not know who you are (ticket foreign, expired, forged)
├── Forbidden           403    4403   you may see it, you may not do this to it
├── NotFound            404    4404   no such thing, or not for you: the answer is the same
├── Conflict            409    4409   not in the present state
├── TooMany             429    4429   slower, please
└── Unavailable         503    4503   a part of us is missing; try again soon
"""

from typing import ClassVar


class Refusal(Exception):
    """An expected no, with a stable dotted code such as `meeting.over`."""

    status: ClassVar[int] = 400

    def __init__(self, code: str, detail: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(detail or code)
        self.code = code
        self.detail = detail or code
        self.retry_after_s = retry_after_s


class Malformed(Refusal):
    """Not understood, or outside its limits."""


class Unknown(Refusal):
    """We do not know who you are."""

    status = 401


class Forbidden(Refusal):
    """You may see it, you may not do this to it."""

    status = 403


class NotFound(Refusal):
    """No such thing, or not for you: the answer is the same."""

    status = 404


class Conflict(Refusal):
    """Not in the present state."""

    status = 409


class TooMany(Refusal):
    """Slower, please. `retry_after_s` says when."""

    status = 429


class Unavailable(Refusal):
    """A part of us is missing; try again soon."""

    status = 503

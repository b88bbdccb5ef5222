"""Typed messages between processes and browsers: one tag, frozen fields, nothing unknown."""

from typing import Any, Generic, TypeVar

import msgspec

from common.errors import Malformed

M = TypeVar("M")


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", rename="camel"):
    """Base of everything said on a wire. Subclasses say `frozen=True` and their own `tag`."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Base of a value inside a message; it has no tag of its own."""


class Codec(Generic[M]):
    """Text to one of a closed set of messages."""

    def __init__(self, union: Any) -> None:
        self._decoder: msgspec.json.Decoder[M] = msgspec.json.Decoder(union)

    def decode(self, text: str | bytes) -> M:
        """Raise Malformed (`message.malformed`), naming the field, when the text is none of the set."""
        try:
            return self._decoder.decode(text)
        except msgspec.DecodeError as reason:
            raise Malformed("message.malformed", str(reason)) from None
        except RecursionError:
            raise Malformed("message.malformed", "nested too deeply") from None


def encode(message: Message) -> str:
    """One message, as compact JSON."""
    return msgspec.json.encode(message).decode()

"""Identifiers: UUIDv7 (RFC 9562 §5.7), so that rows sort by the time they were made."""

from uuid import UUID

from uuid6 import uuid7


def new_id() -> UUID:
    """A new identifier; callable as a model field's default."""
    return UUID(int=uuid7().int)

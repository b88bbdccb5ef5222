"""Recordings: tracks kept crash-safely, composed and searchable.

The floor is reserved by the import contracts; `docs/coverage.md` says what of it is built.
"""

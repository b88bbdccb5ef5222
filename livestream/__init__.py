"""Broadcasts: a meeting out to many viewers.

The floor is reserved by the import contracts; `docs/coverage.md` says what of it is built.
"""

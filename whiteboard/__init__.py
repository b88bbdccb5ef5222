"""Boards: one shared document, many hands, nothing lost.

The floor is reserved by the import contracts; `docs/coverage.md` says what of it is built.
"""

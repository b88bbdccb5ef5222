"""The whole block is tried again when the database fails in passing, and only then."""

from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection

from common import transactions
from common.transactions import atomically


class _State(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def failure(sqlstate: str) -> OperationalError:
    error = OperationalError("gone")
    error.__cause__ = _State(sqlstate)
    return error


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time that passes when it is slept, not before."""
    slept: list[float] = []
    monkeypatch.setattr(transactions.time, "sleep", slept.append)
    monkeypatch.setattr(transactions.time, "monotonic", lambda: sum(slept))
    return slept


@pytest.mark.django_db(transaction=True)
def test_a_block_is_tried_again_as_a_whole(pauses: list[float]) -> None:
    errors = [failure(state) for state in ("57P01", "25006", "40001", "08006")]
    steps: list[str] = []

    @atomically
    def block(value: int) -> int:
        steps.append("begin")
        assert connection.in_atomic_block
        if errors:
            raise errors.pop(0)
        return value

    assert block(7) == 7
    assert steps == ["begin"] * 5
    assert len(pauses) == 4
    assert all(0.025 <= pause <= 0.5 for pause in pauses)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [failure("23505"), failure("42P01"), IntegrityError("twice"), ValueError("ours")])
def test_what_would_fail_again_is_not_tried_again(error: Exception, pauses: list[float]) -> None:
    @atomically
    def block() -> None:
        raise error

    with pytest.raises(type(error)):
        block()
    assert pauses == []


@pytest.mark.django_db(transaction=True)
def test_fifteen_seconds_are_enough(pauses: list[float]) -> None:
    @atomically
    def block() -> None:
        raise failure("57P03")

    with pytest.raises(OperationalError):
        block()
    assert 13 < sum(pauses) <= 15


@pytest.mark.django_db(transaction=True)
def test_inside_another_block_only_the_outermost_is_tried_again(pauses: list[float]) -> None:
    runs: list[str] = []

    @atomically
    def inner() -> None:
        runs.append("inner")
        if len(runs) < 4:
            raise failure("40P01")

    @atomically
    def outer() -> None:
        runs.append("outer")
        inner()

    outer()
    assert runs == ["outer", "inner"] * 2


def test_a_busy_sqlite_is_passing() -> None:
    import sqlite3

    error: Any = OperationalError("database is locked")
    error.__cause__ = sqlite3.OperationalError("database is locked")
    assert transactions.is_passing(error)
    error = OperationalError("no such table: x")
    error.__cause__ = sqlite3.OperationalError("no such table: x")
    assert not transactions.is_passing(error)

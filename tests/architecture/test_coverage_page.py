"""docs/coverage.md is true: its files, tests and addresses exist, and nothing that exists is missing from it."""

import re

import pytest

from config.environment import ROOT
from tests.architecture.routes import routes, variable

STATES = {"built", "partly", "not built yet"}
PAGE = ROOT / "docs" / "coverage.md"


def rows() -> list[list[str]]:
    """Capability, endpoints, tests, drill, state."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in escaped().splitlines() if "|" in line]
    return [row for row in cells if row[0] != "capability" and not row[0].startswith("---")]


def escaped() -> str:
    """The page's tables alone."""
    return "\n".join(line for line in PAGE.read_text().splitlines() if line.startswith("|"))


def quoted(cell: str) -> list[str]:
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_is_true(row: list[str]) -> None:
    assert len(row) == 5
    _capability, endpoints, tests, _drill, state = row
    assert state in STATES
    known = set(routes())
    assert [address for address in quoted(endpoints) if variable(address) not in known] == []
    for test in quoted(tests):
        path, _, name = test.partition("::")
        assert (ROOT / path).exists(), f"{path} is not there"
        assert not name or f"def {name}(" in (ROOT / path).read_text(), f"{path} has no {name}"
    if state == "built":
        assert quoted(tests), "what is built has a test"
    if state == "not built yet":
        assert not quoted(endpoints), "what has an address is built at least partly"


def test_every_address_is_on_the_page() -> None:
    shown = {variable(address) for row in rows() for address in quoted(row[1])}
    assert set(routes()) - shown == set()

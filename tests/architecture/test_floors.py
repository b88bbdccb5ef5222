"""The floors and the purity of the cores, as `.importlinter` draws them."""

import subprocess
import sys
from pathlib import Path

from config.environment import ROOT

HOUSE = {
    ".ci",
    "accounts",
    "common",
    "conference",
    "config",
    "deploy",
    "docs",
    "frontend",
    "livestream",
    "media",
    "ops",
    "recordings",
    "rooms",
    "tests",
    "whiteboard",
    ".gitignore",
    ".importlinter",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "manage.py",
    "pyproject.toml",
    "requirements.txt",
}
DRAWERS = {"utils", "helpers", "manager", "managers", "misc", "lib"}
LONG = 550
"""Lines that no file may have; near 400 one looks for the cut. The longest are in the failure."""


def tracked() -> list[Path]:
    """What belongs to the project: git's files, or every file that is not made, where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode == 0:
        return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).exists()]
    made = {".venv", "var", "node_modules", "dist", "__pycache__"}
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [path for path in found if not made & set(path.parts) and not path.parts[0].startswith(".")]


def test_every_import_goes_down() -> None:
    run = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[run.stdout.find("Contracts") :]


def test_nothing_lies_about_at_the_top() -> None:
    assert {path.parts[0] for path in tracked()} - HOUSE == set()


def test_there_are_no_drawers_for_odds_and_ends() -> None:
    named = [path for path in tracked() if path.stem in DRAWERS or DRAWERS & set(path.parts)]
    assert [path for path in named if path.parts[0] != "frontend"] == []


def test_no_file_is_long() -> None:
    lengths = {
        path: len((ROOT / path).read_text().splitlines())
        for path in tracked()
        if path.suffix in (".py", ".ts", ".tsx") and "generated" not in path.parts and "migrations" not in path.parts
    }
    longest = sorted(lengths.items(), key=lambda pair: -pair[1])[:10]
    assert [(str(path), lines) for path, lines in longest if lines > LONG] == []


def test_every_module_says_what_it_is() -> None:
    silent = []
    for path in tracked():
        if path.suffix == ".py" and path.name != "__init__.py" and "migrations" not in path.parts:
            first = next((line for line in (ROOT / path).read_text().splitlines() if not line.startswith("#")), '"')
            if not first.startswith(('"""', 'r"""', '"')):
                silent.append(str(path))
    assert silent == []

"""`manage.py configuration`: docs/operations/configuration.md from config/environment.py, written or checked."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.environment import ROOT, Environment

PATH = ROOT / "docs" / "operations" / "configuration.md"
HEAD = """# Configuration

Everything is given by environment; nothing else is read. This page is written from `config/environment.py` by
`manage.py configuration`, and the tests check that it is current.

| variable | default | meaning |
|---|---|---|
"""


class Command(BaseCommand):
    """Keeps the page and the code the same."""

    help = "Write docs/operations/configuration.md; with --check, fail where it differs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        """Write or check."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *_: Any, check: bool, **__: Any) -> None:
        """Raise CommandError on drift."""
        if check:
            if not PATH.exists() or PATH.read_text() != page():
                raise CommandError("docs/operations/configuration.md is old; run: manage.py configuration")
            return
        PATH.parent.mkdir(parents=True, exist_ok=True)
        PATH.write_text(page())


def page() -> str:
    """The page, with defaults that are the same on every machine."""
    return HEAD + "".join(
        f"| `{f.metadata['name']}` | {_shown(f.name, f.default)} | {f.metadata['doc']} |\n" for f in fields(Environment)
    )


def _shown(name: str, default: Any) -> str:
    match default:
        case _ if name == "node":
            return "the host name"
        case bool():
            return "`true`" if default else "`false`"
        case tuple():
            return f"`{','.join(default)}`" if default else ""
        case Path():
            return f"`{default.relative_to(ROOT)}/`"
        case "":
            return ""
        case _:
            return f"`{default}`"

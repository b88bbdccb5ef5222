"""`manage.py bench [NAME ...]`: the benchmarks of tests/load, one JSON object each."""

import importlib
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.environment import ROOT

FOLDER = ROOT / "tests" / "load"


class Command(BaseCommand):
    """Each benchmark is a module of tests/load with `run() -> dict`: its figures, its number of runs, its samples."""

    help = "Measure. Without a name, everything."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        """Which ones, and how to print them."""
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known())}")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *_: Any, names: list[str], json: bool, **__: Any) -> None:
        """Run and print each; raise CommandError for a name that is none."""
        for name in names or known():
            if name not in known():
                raise CommandError(f"{name} is none of {', '.join(known())}")
            found = measured(name)
            self.stdout.write(as_json(found) if json else as_text(found))
            self.stdout.flush()


def known() -> list[str]:
    """The benchmarks that there are, by name: modules that can be run (their parts and tests lie beside them)."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if "\ndef run(" in path.read_text())


def measured(name: str) -> dict[str, Any]:
    """One benchmark's result in the shape of the contract."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    result = importlib.import_module(f"tests.load.{name}").run()
    return {"bench": name, "machine": machine(), **result}


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    model = next(
        (line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")), platform.processor()
    )
    return {
        "cores": os.cpu_count(),
        "processor": model,
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def as_json(found: dict[str, Any]) -> str:
    """One line."""
    return json.dumps(found, separators=(",", ":"))


def as_text(found: dict[str, Any]) -> str:
    """A line for each figure, named by its path."""
    lines = [f"{found['bench']} ({found.get('runs', 1)} runs)"]
    lines += [f"  {path:<48} {figure:>12}" for path, figure in _flat("", found["figures"])]
    return "\n".join(lines)


def _flat(path: str, figures: Any) -> list[tuple[str, Any]]:
    if isinstance(figures, dict):
        return [pair for name, part in figures.items() for pair in _flat(f"{path}.{name}" if path else name, part)]
    return [(path, round(figures, 3) if isinstance(figures, float) else figures)]

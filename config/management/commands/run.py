"""`manage.py run`, as Django's list of commands and call_command know it."""

import os
from typing import Any

from django.core.management.base import BaseCommand

from config.processes import MANAGE


class Command(BaseCommand):
    """Becomes the supervisor (config.run); manage.py itself goes there without this detour."""

    help = "Start every process of Quorum and keep it up."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        """As config.run."""
        parser.add_argument("--host", default="")

    def handle(self, *_: Any, host: str, **__: Any) -> None:
        """Replace this process."""
        os.execv(MANAGE[0], [*MANAGE, "run", *(["--host", host] if host else [])])  # noqa: S606

"""`manage.py reload`: new web processes in the place of the old ones, without a gap."""

import os
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Tells the supervisor; the new processes have the code and the tables of now, or the old ones go on."""

    help = "Replace the web processes of the running `manage.py run`; sockets move to the new ones."
    requires_system_checks: list[str] = []

    def handle(self, *_: Any, **__: Any) -> None:
        """Raise CommandError where nothing runs on this state folder."""
        path = settings.STATE_DIR / "run.lock"
        try:
            supervisor = int(path.read_text())
            os.kill(supervisor, signal.SIGUSR1)
        except (OSError, ValueError):
            raise CommandError(f"no `manage.py run` holds {settings.STATE_DIR}") from None
        self.stdout.write("asked; see the log of web")

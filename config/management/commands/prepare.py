"""`manage.py prepare`: tables, the first operator and room. Alone, under a lock; repeating it changes nothing."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from accounts.services import ensure_operator
from config.checks import require_safe_settings
from config.environment import environment
from config.run import address_of
from ops.certificate import ensure_certificate
from rooms.services import create_room

LOCK = 0x51756F72
"""PostgreSQL's advisory lock of this command: "Quor"."""
OPERATOR = "operator"


class Command(BaseCommand):
    """What must be so before any process starts."""

    help = "Migrate the database and make the first operator."
    requires_system_checks: list[str] = []

    def handle(self, *_: Any, **__: Any) -> None:
        """Do what is not done yet and say what was done."""
        require_safe_settings()
        env = environment()
        env.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if env.tls:
            ensure_certificate(env.state_dir, env.hosts)
        with alone():
            call_command("migrate", interactive=False, verbosity=0)
            self._welcome()

    def _welcome(self) -> None:
        """The first operator and a room to enter."""
        password = ensure_operator(username=OPERATOR)
        if password is None:
            return
        self.stdout.write(f"first operator: {OPERATOR}, password {password}  (shown only this once)")
        operator = get_user_model()._default_manager.get(username=OPERATOR)
        room = create_room(owner_id=operator.pk, slug="hello", title="Hello", anyone_may_start=True)
        self.stdout.write(f"first room: {address_of(environment())}/r/{room.slug}/")


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other machine or process prepares the same database."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
        return
    with (settings.STATE_DIR / "prepare.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

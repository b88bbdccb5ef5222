"""`manage.py api_key NAME --owner USER --scope rooms:write ...`: a key for an integration, shown this once."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from accounts.scopes import SCOPES
from accounts.services import create_api_key


class Command(BaseCommand):
    """Make an API key from a shell, where there is no admin page at hand."""

    help = "Make an API key and print it, this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name, owner, scopes."""
        parser.add_argument("name", help="what the integration is called in journals")
        parser.add_argument("--owner", default="operator", help="the user on whose behalf it acts")
        parser.add_argument("--scope", action="append", choices=SCOPES, required=True)

    def handle(self, *args: Any, name: str, owner: str, scope: list[str], **options: Any) -> None:
        """Print the token alone, for scripts."""
        user = get_user_model()._default_manager.filter(username=owner).first()
        if user is None:
            raise CommandError(f"there is no user {owner!r}")
        made = create_api_key(owner_id=user.pk, name=name, scopes=scope)
        self.stdout.write(made[1])

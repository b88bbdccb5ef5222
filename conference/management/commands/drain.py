"""`manage.py drain NODE`: empty a media worker before its maintenance."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.errors import NotFound, Refusal
from conference import nodes

LOOK_S = 0.2


class Command(BaseCommand):
    """The same as the REST interface's `nodes/NODE/drain/`."""

    help = "Move a media worker's meetings to others and let it carry nothing new."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which one, and whether to wait."""
        parser.add_argument("node", help="as the REST interface and the admin list it")
        parser.add_argument("--wait", action="store_true", help="return when it is empty")
        parser.add_argument("--limit", type=float, default=120.0, metavar="SECONDS", help="wait at most this long")
        parser.add_argument("--undo", action="store_true", help="let it carry meetings again")

    def handle(self, *_: Any, node: str, wait: bool, limit: float, undo: bool, **__: Any) -> None:
        """Raise CommandError where it is refused, or not empty in time."""
        try:
            found = nodes.undrain_node(node=node) if undo else nodes.drain_node(node=node)
            if wait and not undo:
                self._wait(node, limit)
                self.stdout.write(f"{node} is empty")
                return
        except Refusal as no:
            raise CommandError(f"{no.code}: {no.detail}") from None
        self.stdout.write(f"{node}: {found.meetings} meetings, {'draining' if found.draining else 'in use'}")

    def _wait(self, node: str, limit_s: float) -> None:
        """Until it carries nothing; raise CommandError when that takes too long, NotFound when it is gone."""
        deadline = time.monotonic() + limit_s
        while True:
            found = next((known for known in nodes.nodes() if known.node == node), None)
            if found is None:
                raise NotFound("node.unknown", f"{node} has ended.")
            if not found.meetings and not found.connections:
                return
            if time.monotonic() > deadline:
                raise CommandError(f"{node} still has {found.meetings} meetings, {found.connections} connections")
            time.sleep(LOOK_S)

"""`manage.py openapi`: the REST interface as docs/api/openapi.yaml, written or checked."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

from config.environment import ROOT

PATH = ROOT / "docs" / "api" / "openapi.yaml"


class Command(BaseCommand):
    """Keeps the written interface and the built one the same."""

    help = "Write docs/api/openapi.yaml; with --check, fail where it differs."

    def add_arguments(self, parser: Any) -> None:
        """Write or check."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *_: Any, check: bool, **__: Any) -> None:
        """Raise CommandError on drift."""
        schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        validate_schema(schema)  # type: ignore[no-untyped-call]
        text = OpenApiYamlRenderer().render(schema, renderer_context={}).decode()  # type: ignore[no-untyped-call]
        if check:
            if not PATH.exists() or PATH.read_text() != text:
                raise CommandError("docs/api/openapi.yaml is not what the code says; run: manage.py openapi")
            return
        PATH.parent.mkdir(parents=True, exist_ok=True)
        PATH.write_text(text)

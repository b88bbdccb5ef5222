"""What is written from the code is what the code says."""

import pytest
from django.core.management import call_command

from config.management.commands.bench import known


def test_the_rest_interface_is_written_down() -> None:
    call_command("openapi", "--check")


def test_the_configuration_is_written_down() -> None:
    call_command("configuration", "--check")


@pytest.mark.django_db
def test_every_model_has_its_migration() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_every_benchmark_can_be_asked_for() -> None:
    assert "idle" in known()
    assert "test_load" not in known()

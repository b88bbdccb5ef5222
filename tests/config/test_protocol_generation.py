"""The front end's message types are those of Python."""

from pathlib import Path

import msgspec
import pytest
from django.core.management import CommandError, call_command
from msgspec import inspect as shapes

from conference import protocol
from config.management.commands.protocol import TARGET, expression, render


def test_the_generated_file_is_that_of_the_messages() -> None:
    assert TARGET.read_text() == render(), "run `python manage.py protocol`"


def test_every_message_has_its_tag_and_camel_case_fields() -> None:
    text = render()
    for union in (protocol.FromBrowser, protocol.ToBrowser):
        for member in union.__args__:
            assert f'readonly type: "{member.__struct_config__.tag}";' in text
    assert "readonly participantId: string;" in text
    assert "participant_id" not in text.split("export interface", 1)[1].replace("/**", "")


def test_optional_fields_and_containers_become_typescript() -> None:
    shape = shapes.type_info(tuple[protocol.Slot, ...] | None)
    assert expression(shape) in ("readonly Slot[] | null", "null | readonly Slot[]")
    assert expression(shapes.type_info(dict[str, protocol.Origin])) == (
        'Readonly<Record<string, "camera" | "microphone" | "screen" | "screen-sound">>'
    )
    assert "readonly id?: string | null;" in render()


def test_a_type_the_wire_does_not_use_is_refused() -> None:
    with pytest.raises(TypeError):
        expression(shapes.type_info(msgspec.Raw))


def test_the_check_fails_on_drift_and_passes_after_writing(tmp_path: Path) -> None:
    target = tmp_path / "generated" / "meeting.ts"
    with pytest.raises(CommandError):
        call_command("protocol", check=True, target=target)
    call_command("protocol", target=target)
    call_command("protocol", check=True, target=target)
    target.write_text(target.read_text().replace("welcomed", "welcome"))
    with pytest.raises(CommandError):
        call_command("protocol", check=True, target=target)

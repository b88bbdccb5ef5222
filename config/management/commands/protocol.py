"""`manage.py protocol`: write the front end's message types from the Python ones; `--check` exits 1 on drift.

The page can then say and read nothing that the server does not know: a renamed field breaks the front end's build.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser
from msgspec import inspect as shapes

from conference import protocol
from config.environment import ROOT

TARGET = ROOT / "frontend" / "src" / "protocol" / "generated" / "meeting.ts"
HEADING = "// Written by `manage.py protocol` from conference/protocol.py. Do not edit.\n"
CONSTANTS = ("VERSION", "MAX_FRAME_BYTES")
ALIASES = ("Role", "Origin", "Kind", "Connection")
UNIONS = ("FromBrowser", "Line", "ToBrowser")


def expression(shape: shapes.Type) -> str:
    """The TypeScript type of one value. Raise TypeError for a type that the wire does not use yet."""
    match shape:
        case shapes.Metadata(type=inner):
            return expression(inner)
        case shapes.StrType():
            return "string"
        case shapes.IntType() | shapes.FloatType():
            return "number"
        case shapes.BoolType():
            return "boolean"
        case shapes.NoneType():
            return "null"
        case shapes.LiteralType(values=values):
            return " | ".join(_literal(value) for value in values)
        case shapes.ListType(item_type=item) | shapes.VarTupleType(item_type=item):
            element = expression(item)
            return f"readonly ({element})[]" if " | " in element else f"readonly {element}[]"
        case shapes.DictType(key_type=key, value_type=value):
            return f"Readonly<Record<{expression(key)}, {expression(value)}>>"
        case shapes.UnionType(types=members):
            return " | ".join(expression(member) for member in members)
        case shapes.StructType(cls=cls):
            return cls.__name__
        case _:
            raise TypeError(f"no TypeScript for {shape!r}")


def render(module: ModuleType = protocol) -> str:
    """The whole generated file."""
    aliases = {_key(getattr(module, name)): name for name in ALIASES}
    parts = [HEADING]
    notes = _notes(module)
    parts += [f"{_comment(notes.get(name, ''))}export const {name} = {getattr(module, name)};\n" for name in CONSTANTS]
    parts += [f"export type {name} = {expression(shapes.type_info(getattr(module, name)))};\n" for name in ALIASES]
    unions = {name: shapes.type_info(getattr(module, name)) for name in UNIONS}
    structs: dict[type, shapes.StructType] = {}
    for union in unions.values():
        for struct in _structs(union):
            structs.setdefault(struct.cls, struct)
    parts += [_interface(struct, aliases) for struct in structs.values()]
    parts += [_union(name, union) for name, union in unions.items()]
    return "\n".join(parts)


def _literal(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _key(literal: Any) -> str:
    return expression(shapes.type_info(literal))


def _union(name: str, shape: shapes.Type) -> str:
    members = expression(shape).split(" | ")
    return f"export type {name} =\n" + "\n".join(f"  | {member}" for member in members) + ";\n"


def _interface(struct: shapes.StructType, aliases: dict[str, str]) -> str:
    notes = _notes(struct.cls)
    lines = [f"{_comment(inspect.getdoc(struct.cls) or '')}export interface {struct.cls.__name__} {{"]
    if struct.tag is not None:
        lines.append(f"  readonly {struct.tag_field}: {_literal(struct.tag)};")
    for field in struct.fields:
        note = _description(field.type) or notes.get(field.name, "")
        lines.append(f"{_comment(note, '  ')}  readonly {_property(field, aliases)};")
    return "\n".join([*lines, "}\n"])


def _property(field: shapes.Field, aliases: dict[str, str]) -> str:
    found = expression(field.type)
    return f"{field.encode_name}{'' if field.required else '?'}: {aliases.get(found, found)}"


def _description(shape: shapes.Type) -> str:
    match shape:
        case shapes.Metadata(type=inner, extra_json_schema=extra):
            return str((extra or {}).get("description", "")) or _description(inner)
        case shapes.UnionType(types=members):
            return next(filter(None, map(_description, members)), "")
        case _:
            return ""


def _comment(text: str, indent: str = "") -> str:
    """A doc comment, one line where it is one line."""
    lines = text.replace("*/", "* /").splitlines()
    match lines:
        case []:
            return ""
        case [only]:
            return f"{indent}/** {only} */\n"
        case _:
            body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
            return f"{indent}/**\n{body}{indent} */\n"


def _structs(shape: shapes.Type) -> Iterator[shapes.StructType]:
    """Every struct reachable from a type, inner ones before those that hold them."""
    match shape:
        case shapes.Metadata(type=inner):
            yield from _structs(inner)
        case shapes.ListType(item_type=inner) | shapes.VarTupleType(item_type=inner):
            yield from _structs(inner)
        case shapes.DictType(key_type=key, value_type=value):
            yield from _structs(key)
            yield from _structs(value)
        case shapes.UnionType(types=members):
            for member in members:
                yield from _structs(member)
        case shapes.StructType(fields=fields):
            for field in fields:
                yield from _structs(field.type)
            yield shape


def _notes(owner: ModuleType | type) -> dict[str, str]:
    """The docstring below each assignment of a module or class body, by name: Python keeps them only in the source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
    body = tree.body
    if isinstance(owner, type) and isinstance(body[0], ast.ClassDef):
        body = body[0].body
    notes = {}
    for statement, following in pairwise(body):
        match statement, following:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str() as note)),
            ):
                notes[name] = inspect.cleandoc(note)
    return notes


class Command(BaseCommand):
    """Write the generated TypeScript, or say that it is stale."""

    help = "Write frontend/src/protocol/generated from the Python messages."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """`--check` and the file."""
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file is stale")
        parser.add_argument("--target", type=Path, default=TARGET)

    def handle(self, *, check: bool, target: Path, **_: Any) -> None:
        """Raise CommandError when `--check` finds drift."""
        fresh = render()
        if check:
            if not target.exists() or target.read_text() != fresh:
                raise CommandError(f"{target.name} is stale: run `python manage.py protocol`")
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(fresh)

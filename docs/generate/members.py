"""The tables of members of each document: name, type, need and meaning, all from the struct."""

from typing import Any, get_args

from msgspec import Struct, inspect

from acmx.domain import comparison, messages, partnership, records
from acmx.faces.schemas import tag_meaning
from acmx.kinds import catalogue

GROUPED: dict[type, type] = dict.fromkeys(get_args(messages.AnyMessage), messages.Message)
"""Structs whose table leaves out the members of another one, which has a table of its own."""


def table(struct: type) -> str:
    """The members of a document. Raises TypeError where a member has no description."""
    info = _info(struct)
    inherited = {f.encode_name for f in _info(GROUPED[struct]).fields} if struct in GROUPED else set()
    rows = ["| member | type | need | meaning |", "|---|---|---|---|"]
    if info.tag_field and struct not in GROUPED:
        tag = tag_meaning(str(info.tag), str(struct.__doc__))
        shown = "one of the seven messages" if struct is messages.Message else tag
        rows.append(f"| `{info.tag_field}` | text | required | {shown} |")
    rows += [
        f"| `{field.encode_name}` | {_type(field.type)} | {'required' if field.required else 'optional'} "
        f"| {meaning(field.type)} |"
        for field in info.fields
        if field.encode_name not in inherited
    ]
    return "\n".join(rows)


def meaning(kind: inspect.Type) -> str:
    """The description that a member's type carries."""
    if not (isinstance(kind, inspect.Metadata) and kind.extra_json_schema):
        raise TypeError(kind)
    description: str = kind.extra_json_schema["description"]
    return description


def _info(struct: type) -> inspect.StructType:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    return info


def _type(kind: Any) -> str:  # noqa: C901, PLR0911
    match kind:
        case inspect.Metadata():
            return _type(kind.type)
        case inspect.UnionType():
            return " or ".join(_type(t) for t in kind.types if not isinstance(t, inspect.NoneType))
        case inspect.LiteralType():
            return ", ".join(f"`{value}`" for value in kind.values)
        case inspect.DateTimeType():
            return "time"
        case inspect.StrType():
            return "text" + _bounds(kind.min_length, kind.max_length, " characters")
        case inspect.IntType():
            return "whole number" + _bounds(kind.ge, kind.le, "")
        case inspect.BoolType():
            return "true or false"
        case inspect.ListType() | inspect.VarTupleType():
            return f"list of {_type(kind.item_type)}" + _bounds(kind.min_length, kind.max_length, " items")
        case inspect.StructType():
            return kind.cls.__name__
        case inspect.DictType():
            return "object"
        case inspect.AnyType():
            return "any"
    raise TypeError(kind)


def _bounds(least: int | None, most: int | None, unit: str) -> str:
    if least is None and most is None:
        return ""
    if least == most:
        return f", {least:,}{unit}"
    if least is None:
        return f", at most {most:,}{unit}"
    return f", {least:,} to {most:,}{unit}" if most is not None else f", {least:,} or more{unit}"


STRUCTS: dict[str, type] = {
    name: value
    for module in (catalogue, messages, comparison, partnership, records)
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, Struct)
}
"""What a page may show the members of, by name."""

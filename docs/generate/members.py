"""The tables of members of each document: name, type and need from the struct, the meaning from `members_*`."""

from typing import Any, get_args

from docs.generate.members_acm2 import ACM2
from docs.generate.members_operations import OPERATIONS
from docs.generate.members_partners import PARTNERS
from docs.generate.members_policy import POLICY
from docs.generate.members_provisioning import PROVISIONING
from docs.generate.members_records import RECORDS
from docs.generate.members_requests import REQUESTS
from msgspec import inspect

from acmx.domain import acm1, messages

MEANINGS = ACM2 | REQUESTS | PARTNERS | PROVISIONING | OPERATIONS | POLICY | RECORDS
GROUPED: dict[type, type] = {
    **dict.fromkeys(get_args(messages.AnyMessage), messages.Message),
    acm1.Exchange: acm1.Summary,
}
"""Structs whose table leaves out the members of another one, which has a table of its own."""


def table(struct: type) -> str:
    """The members of a document. Raises KeyError where a member has no meaning here."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    meanings = MEANINGS[struct]
    inherited = {f.encode_name for f in _fields(GROUPED[struct])} if struct in GROUPED else set()
    rows = ["| member | type | need | meaning |", "|---|---|---|---|"]
    if info.tag_field and struct not in GROUPED:
        tag = meanings.get(info.tag_field, f"`{info.tag}`")
        shown = "one of the seven messages" if struct is messages.Message else tag
        rows.append(f"| `{info.tag_field}` | text | required | {shown} |")
    rows += [
        f"| `{field.encode_name}` | {_type(field.type)} | {'required' if field.required else 'optional'} "
        f"| {meanings[field.encode_name]} |"
        for field in info.fields
        if field.encode_name not in inherited
    ]
    return "\n".join(rows)


def _fields(struct: type) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    return info.fields


def _type(kind: Any) -> str:  # noqa: C901, PLR0911
    match kind:
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
            return f"list of {_type(kind.item_type)}"
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


STRUCTS = {struct.__name__: struct for struct in MEANINGS} | {"messages.Answer": messages.Answer}

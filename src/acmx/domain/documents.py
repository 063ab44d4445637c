"""Reading JSON that somebody else wrote: no duplicate members, no deep nesting, and every fault named."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect

from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.moments import BOUNDS, is_bounded

T = TypeVar("T")


MOST = 100_000
"""Values in a document: ten for each of as many users as a message may name."""


def parse(body: bytes, error: type[FaultyInput] = FaultyInput) -> dict[str, Any]:
    """The members of a JSON object.

    Raises `error` on anything else, also on a member given twice, U+0000, and more than MOST values: reading them takes
    its time, during which nothing else is done.
    """
    if _has_too_many(body):
        raise error([Fault("", "", f"must not have more than {MOST:,} values")])
    try:
        msgspec.json.decode(body)
        document = _decoder.decode(body.decode())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise error([Fault("", "", f"is not readable JSON: {fault}")]) from None
    except _TwiceError as fault:
        raise error([Fault(fault.member, "", "is given twice")]) from None
    if rb"\u0000" in body and "\0" in _texts(document):
        raise error([Fault("", "", "must not contain U+0000")])
    if not isinstance(document, dict):
        raise error([Fault("", type(document).__name__, "must be a JSON object")])
    return document


def convert(document: object, kind: type[T], error: type[FaultyInput] = FaultyInput, at: str = "") -> T:
    """`document` as the struct `kind`. Raises `error` naming the field and the rule.

    A point in time that no offset can be added to would be taken, and could never be shown.
    """
    try:
        found = msgspec.convert(document, kind)
    except msgspec.ValidationError as fault:
        rule, _, path = str(fault).partition(" - at `$")
        field = (at + path.rstrip("`")).lstrip(".")
        raise error([Fault(field, "", rule[0].lower() + rule[1:])]) from None
    if unbounded := list(_unbounded(found, at)):
        raise error(unbounded)
    return found


def read(body: bytes, kind: type[T], error: type[FaultyInput] = FaultyInput) -> T:
    return convert(parse(body, error), kind, error)


def known_part(document: dict[str, Any], union: Any) -> dict[str, Any]:
    """`document` without the members that these structs do not know (a newer minor version may add some)."""
    return cast("dict[str, Any]", _pruned(document, _type_info(union)))


def encode(struct: object) -> bytes:
    return msgspec.json.encode(struct)


def _has_too_many(body: bytes) -> bool:
    """By the bytes that stand before values, where they are in no text."""
    if _openings(body) <= MOST:
        return False
    plain = body.replace(rb"\\", b"").replace(rb"\"", b"")
    if plain.count(b'"') > 4 * MOST:
        return True
    return _openings(b"".join(plain.split(b'"')[::2])) > MOST


def _openings(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _texts(value: Any) -> str:
    """Every text in it, names of members too."""
    if isinstance(value, dict):
        return "".join(name + _texts(item) for name, item in value.items())
    if isinstance(value, list):
        return "".join(map(_texts, value))
    return value if isinstance(value, str) else ""


class _TwiceError(Exception):
    def __init__(self, member: str) -> None:
        super().__init__(member)
        self.member = member


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        counts = Counter(member for member, _ in pairs)
        raise _TwiceError(next(member for member, count in counts.items() if count > 1))
    return document


_decoder = json.JSONDecoder(object_pairs_hook=_without_duplicates)


def _unbounded(value: Any, at: str) -> Iterator[Fault]:
    """Each point in time in it that is out of bounds."""
    if isinstance(value, datetime):
        if not is_bounded(value):
            yield Fault(at, value.isoformat(), BOUNDS)
    elif isinstance(value, msgspec.Struct):
        for name in _dated(type(value)):
            yield from _unbounded(getattr(value, name), f"{at}.{name}".lstrip("."))
    elif isinstance(value, tuple | list):
        for n, item in enumerate(value):
            yield from _unbounded(item, f"{at}[{n}]")


@cache
def _dated(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of a struct in which a point in time may stand, itself or deeper."""
    info = cast("inspect.StructType", _type_info(kind))
    return tuple(field.name for field in info.fields if _may_hold_moments(field.type))


def _may_hold_moments(kind: inspect.Type) -> bool:
    match kind:
        case inspect.DateTimeType():
            return True
        case inspect.Metadata():
            return _may_hold_moments(kind.type)
        case inspect.UnionType():
            return any(map(_may_hold_moments, kind.types))
        case inspect.ListType() | inspect.VarTupleType():
            return _may_hold_moments(kind.item_type)
        case inspect.StructType():
            return bool(_dated(kind.cls))
    return False


@cache
def _type_info(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _pruned(value: Any, kind: inspect.Type) -> Any:
    if isinstance(kind, inspect.Metadata):
        return _pruned(value, kind.type)
    if isinstance(kind, inspect.UnionType) and isinstance(value, dict):
        structs = [t for t in kind.types if isinstance(t, inspect.StructType)]
        fitting = [t for t in structs if len(structs) == 1 or value.get(str(t.tag_field)) == t.tag]
        return _pruned(value, fitting[0]) if fitting else value
    if isinstance(kind, inspect.StructType) and isinstance(value, dict):
        fields = {f.encode_name: f.type for f in kind.fields}
        return {
            name: _pruned(item, fields[name]) if name in fields else item
            for name, item in value.items()
            if name in fields or name == kind.tag_field
        }
    if isinstance(kind, inspect.ListType | inspect.VarTupleType) and isinstance(value, list):
        return [_pruned(item, kind.item_type) for item in value]
    return value

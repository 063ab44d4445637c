"""Rows as structs: the columns are the fields, in the order of the struct."""

from typing import Any, TypeVar

import msgspec

R = TypeVar("R", bound=msgspec.Struct)


def columns(kind: type[msgspec.Struct]) -> str:
    return ", ".join(kind.__struct_fields__)


def insert(table: str, kind: type[msgspec.Struct], *, without: tuple[str, ...] = ()) -> str:
    names = [name for name in kind.__struct_fields__ if name not in without]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})"  # noqa: S608


def update(kind: type[msgspec.Struct], *, without: tuple[str, ...]) -> str:
    return ", ".join(f"{name} = :{name}" for name in kind.__struct_fields__ if name not in without)


def one(kind: type[R], row: tuple[Any, ...] | None) -> R | None:
    return None if row is None else kind(*row)


def many(kind: type[R], rows: list[tuple[Any, ...]]) -> list[R]:
    return [kind(*row) for row in rows]


def params(struct: msgspec.Struct) -> dict[str, object]:
    return msgspec.structs.asdict(struct)

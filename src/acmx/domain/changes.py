"""What differs between two documents, field by field."""

from collections.abc import Iterator
from typing import Any

from acmx.domain.acm1.partners import FieldChange


def changes(old: dict[str, Any], new: dict[str, Any]) -> tuple[FieldChange, ...]:
    """A change for each leaf, named by its path; an absent one has no values, a list all its own."""
    before, after = dict(_leaves(old, "")), dict(_leaves(new, ""))
    return tuple(
        FieldChange(field, before.get(field, []), after.get(field, []))
        for field in dict.fromkeys([*after, *before])
        if before.get(field) != after.get(field)
    )


def _leaves(value: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
        for n, item in enumerate(value, 1):
            yield from _leaves(item, f"{path}[{n}]")
    elif isinstance(value, list | tuple):
        if value:
            yield path, [_text(item) for item in value]
    elif value is not None:
        yield path, [_text(value)]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

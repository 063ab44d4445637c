"""Nested documents as people read them: field by field, each named by its path."""

from collections.abc import Iterator, Mapping
from typing import Any


def flat(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every field that has a value, and the value in words: `hplmn.plmn`, `vplmns[0].plmn`."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from flat(member, f"{at}.{name}" if at else name)
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            yield from flat(member, f"{at}[{index}]")
    elif value is not None:
        yield at, shown(value)


def shown(value: Any) -> str:
    """A value as text; a list in one line."""
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    return str(value).lower() if isinstance(value, bool) else str(value)

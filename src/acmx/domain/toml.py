"""Reading TOML that somebody wrote: bounded in size and depth, and never a traceback."""

import re
import tomllib
from typing import Any, Final

LARGEST: Final = 1024 * 1024
DEEPEST: Final = 32
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY: Final = re.compile(rf"""(?<![\w"'-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{DEEPEST}}}""")
"""A key of more parts: its tables would be deeper, and the parser takes a time that grows with their square."""


def parse(content: bytes) -> dict[str, Any]:
    """Raises ValueError saying why it cannot be read: at most 1 MiB, and 32 levels of tables and arrays."""
    if len(content) > LARGEST:
        raise ValueError("it is larger than 1 MiB")
    text = content.decode()
    try:
        if _LONG_KEY.search(text):
            raise RecursionError
        document = tomllib.loads(text)
        _require_shallow(document)
    except RecursionError:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep") from None
    return document


def _require_shallow(document: dict[str, Any]) -> None:
    """Raises RecursionError."""
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        items = [item for found in level for item in (found.values() if isinstance(found, dict) else found)]
        level = [item for item in items if isinstance(item, dict | list)]
    if level:
        raise RecursionError

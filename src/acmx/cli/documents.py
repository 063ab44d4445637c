"""Documents in files, as people write them."""

import tomllib
from typing import Any

from acmx.domain import documents
from acmx.domain.errors import Fault, FaultyInput


def read(content: bytes, name: str) -> dict[str, Any]:
    """JSON or TOML. Raises FaultyInput."""
    if content.lstrip()[:1] == b"{":
        return documents.parse(content)
    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FaultyInput([Fault(name, "", f"is neither JSON nor TOML: {error}")]) from None

"""Documents in files, as people write them."""

from typing import Any

from acmx.domain import documents, toml
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault


def read(content: bytes, name: str) -> dict[str, Any]:
    """JSON or TOML. Raises FaultyInput."""
    if content.lstrip()[:1] == b"{":
        return documents.parse(content)
    try:
        return toml.parse(content)
    except ValueError as error:
        raise FaultyInput([Fault(name, "", f"is neither JSON nor TOML: {error}")]) from None

"""What a browser sends with a form."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from acmx.domain.errors import FaultyInput
from acmx.faces.body import LIMIT, read_body

MOST_FIELDS = 25_000


class Form:
    """The fields of a form, as they were filled in: spaces around a value and carriage returns are nobody's meaning."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self._fields = fields

    def one(self, name: str) -> str:
        """The value of a field; empty where it is not there."""
        return self._fields.get(name, [""])[0].replace("\r\n", "\n").strip()

    def line(self, name: str) -> str:
        """The value of a field that is one line, however it was typed."""
        return " ".join(self.one(name).split())

    def all(self, name: str) -> list[str]:
        return self._fields.get(name, [])

    def lines(self, name: str) -> list[str]:
        """The lines of a field that say something."""
        return [line.strip() for line in self.one(name).splitlines() if line.strip()]


async def read_form(request: Request, limit: int = LIMIT) -> Form:
    """Never more than `limit` bytes. Raises TooLarge, FaultyInput."""
    body = await read_body(request, limit)
    fields: dict[str, list[str]] = {}
    try:
        for name, value in parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        ):
            fields.setdefault(name, []).append(value)
    except ValueError:
        raise FaultyInput([], "the form is not readable") from None
    return Form(fields)

"""What a browser sends with a form."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeVar
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from acmx.domain.errors import FaultyInput
from acmx.faces.body import LIMIT, Bodies

MOST_FIELDS = 25_000
MOST_PARTS = 100
T = TypeVar("T")


class File(NamedTuple):
    """What somebody chose in a file field."""

    name: str
    content: bytes


class Form:
    """The fields of a form, as they were filled in: spaces around a value and carriage returns are nobody's meaning."""

    def __init__(self, fields: Mapping[str, list[str]], files: Mapping[str, File] | None = None) -> None:
        self._fields = fields
        self._files = files or {}

    def file(self, name: str) -> File | None:
        """None where no file was chosen."""
        return self._files.get(name)

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


def whole(text: str, otherwise: T) -> int | T:
    """The number that somebody typed, of at most 18 digits."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else otherwise


@asynccontextmanager
async def form_of(bodies: Bodies, whose: str, request: Request, limit: int = LIMIT) -> AsyncIterator[Form]:
    """Its bytes are counted until it is answered. Raises TooLarge, TooMuchAtOnce, FaultyInput."""
    async with bodies.of(whose, request, limit) as body:
        yield await _read(request, body)


async def _read(request: Request, body: bytes) -> Form:
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _with_files(request, body)
    fields: dict[str, list[str]] = {}
    try:
        for name, value in parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        ):
            fields.setdefault(name, []).append(value)
    except ValueError:
        raise FaultyInput([], "the form is not readable") from None
    return Form(fields)


async def _with_files(request: Request, body: bytes) -> Form:
    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        request.headers, whole(), max_files=1, max_fields=MOST_PARTS, max_part_size=len(body)
    )
    parser.spool_max_size = len(body) + 1
    fields: dict[str, list[str]] = {}
    files: dict[str, File] = {}
    try:
        parts = await parser.parse()
    except MultiPartException:
        raise FaultyInput([], "the form is not readable") from None
    for name, value in parts.multi_items():
        if not isinstance(value, UploadFile):
            fields.setdefault(name, []).append(value)
        elif value.filename:
            files[name] = File(value.filename, await value.read())
    await parts.close()
    return Form(fields, files)

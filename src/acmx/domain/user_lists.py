"""Lists of MC service IDs as people keep them: a table with a column `mc_service_id`, or one a line."""

import csv
import io
import re
from collections.abc import Iterator

import msgspec

from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.identities import faults_in_users

COLUMN = "mc_service_id"
_DELIMITERS = ",;\t"
_place = re.compile(r"users\[([0-9]+)\]")


class _User(msgspec.Struct, frozen=True):
    line: int
    mc_service_id: str


def read_users(content: bytes, source: str = "users") -> tuple[str, ...]:
    """The MC service IDs in a file, UTF-8: CSV (comma, semicolon or tab) with a column `mc_service_id`, or text.

    In text every line is one. Empty lines and lines that begin with # are passed over. Raises FaultyInput: an
    empty list, more than 10,000, an invalid or repeated one, each with the line it stands in.
    """
    lines = ["" if line.startswith("#") else line for line in _lines(content, source)]
    header = next((line for line in lines if line.strip()), "")
    delimiter = next((d for d in _DELIMITERS if COLUMN in _columns(header, d)), None)
    if delimiter is None and len(_columns(header, ",")) > 1 and ":" not in header:
        raise FaultyInput([Fault(source, header, f"must have a column named {COLUMN}")])
    users = list(_in_lines(lines) if delimiter is None else _in_table(lines, delimiter, source))
    if faults := faults_in_users([user.mc_service_id for user in users]):
        raise FaultyInput([_located(fault, users, source) for fault in faults])
    return tuple(user.mc_service_id for user in users)


def _lines(content: bytes, source: str) -> list[str]:
    try:
        return [line.rstrip("\n") for line in io.StringIO(content.decode("utf-8-sig"), newline=None)]
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FaultyInput([Fault(f"{source} line {line}", "", "must be UTF-8 text")]) from None


def _columns(header: str, delimiter: str) -> list[str]:
    return [name.strip().strip('"').lower() for name in header.split(delimiter)]


def _in_lines(lines: list[str]) -> Iterator[_User]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _User(number, line.strip())


def _in_table(lines: list[str], delimiter: str, source: str) -> Iterator[_User]:
    rows = csv.reader([f"{line}\n" for line in lines], delimiter=delimiter, strict=True)
    column: int | None = None
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if column is None:
                column = [name.strip().lower() for name in row].index(COLUMN)
            else:
                yield _User(rows.line_num, row[column].strip() if column < len(row) else "")
    except csv.Error as error:
        raise FaultyInput([Fault(f"{source} line {rows.line_num}", "", f"is no CSV: {error}")]) from None


def _located(fault: Fault, users: list[_User], source: str) -> Fault:
    def line(place: re.Match[str]) -> str:
        return f"line {users[int(place[1])].line}"

    field = _place.sub(line, fault.field)
    return Fault(
        source if field == "users" else f"{source} {field}", fault.value, _place.sub(line, fault.rule)
    )

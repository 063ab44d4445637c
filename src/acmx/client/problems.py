"""A problem document (RFC 9457) as the error of the tree that it stands for."""

from collections.abc import Iterator
from typing import Any

import msgspec

from acmx.domain.errors import AcmxError, FaultyInput, Unreachable
from acmx.domain.faults import Fault
from acmx.domain.messages import PROBLEM

MEDIA_TYPE = "application/problem+json"
_STANDARD = frozenset({"type", "title", "status", "detail"})


def error_of(status: int, media_type: str, body: bytes) -> AcmxError:
    """The error that a reply with this HTTP status stands for.

    `detail` and the other members are those of the document. A type that is not in the tree gives an AcmxError
    with the type among its members; a reply that is no problem document did not come from an ACM server and
    gives Unreachable.
    """
    document = _document(body) if media_type.partition(";")[0].strip().lower() == MEDIA_TYPE else None
    if document is None:
        return Unreachable(f"Something that is no ACM server answered with HTTP status {status}.")
    problem, detail = str(document.get("type", "")), str(document.get("detail", ""))
    members = {name: value for name, value in document.items() if name not in _STANDARD}
    kind = _kinds().get(problem.removeprefix(PROBLEM)) if problem.startswith(PROBLEM) else None
    if kind is None:
        return _with(AcmxError(f"{document.get('title', '')} {detail}".strip()), {"type": problem, **members})
    if not issubclass(kind, FaultyInput):
        return _with(kind(detail), members)
    given = members.get("faults")
    faults = [_fault(member) for member in given] if isinstance(given, list) else []
    return _with(kind(faults, detail), {**members, "faults": faults})


def _document(body: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _fault(member: object) -> Fault:
    try:
        return msgspec.convert(member, Fault)
    except msgspec.ValidationError:
        return Fault("", "", str(member))


def _with(error: AcmxError, members: dict[str, Any]) -> AcmxError:
    error.members = members
    return error


def _kinds() -> dict[str, type[AcmxError]]:
    return {kind.type: kind for kind in _descendants(AcmxError) if "type" in vars(kind)}


def _descendants(kind: type[AcmxError]) -> Iterator[type[AcmxError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _descendants(child)

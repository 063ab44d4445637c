"""The journal: looked through, verified, and taken away."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.responses import Response, StreamingResponse

from acmx.domain import documents
from acmx.domain.errors import AcmxError, FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.records import SealedRow, SignedCheckpoint
from acmx.faces.acm1 import evidence, records
from acmx.faces.console import downloads
from acmx.faces.console.evidence import sealed
from acmx.faces.console.fields import shown
from acmx.faces.console.visit import Visit
from acmx.trust.keys import spoken
from acmx.trust.sealing import read_checkpoint

ROWS = 50
LONGEST_DETAIL = 24
"""Digests are cut to this; an export has them whole."""


async def get_audit(visit: Visit) -> Response:
    return await _page(visit)


async def post_audit(visit: Visit) -> Response:
    return await (_export(visit) if visit.form.one("act") == "export" else _verify(visit))


async def get_checkpoint(visit: Visit) -> Response:
    """The journal as it stands now, signed."""
    signed = await visit.ask(evidence.get_checkpoint)
    content = msgspec.json.format(msgspec.json.encode(signed)) + b"\n"
    found = read_checkpoint(signed)
    name = f"checkpoint-{found.system}-{found.size}-{found.root[:16]}.json"
    return downloads.file(name, content, "application/json")


async def _verify(visit: Visit) -> Response:
    """The whole journal is looked at, and compared with a checkpoint that was taken away before, if one is given."""
    try:
        shipped = _shipped(visit.form.one("against"), visit.acm1.desk.house.system)
        found = await sealed.verify(visit, shipped)
    except AcmxError as error:
        return await _page(visit, error=error)
    return await _page(visit, verdict=found.verdict, keys={spoken(kid): kid for kid in found.keys})


async def _export(visit: Visit) -> Response:
    """The sealed journal as JSON lines, byte for byte as it is hashed; the last line is a checkpoint."""
    since = visit.form.one("since")
    last = await visit.ask(evidence.get_checkpoint)
    size = read_checkpoint(last).size
    pages = sealed.rows(visit, size, f"{since}T00:00:00Z" if since else "")
    try:
        first = await anext(pages)
    except AcmxError as error:
        return await _page(visit, error=error)
    name = f"journal-{visit.acm1.desk.house.system}.jsonl"
    lines = _lines(first, pages, last)
    return StreamingResponse(lines, media_type="application/jsonl", headers=downloads.headers(name))


async def _page(visit: Visit, error: AcmxError | None = None, **found: Any) -> Response:
    chosen = visit.asked("event", "actor", "exchange")
    page = await visit.ask(records.get_audit, query={**visit.asked("after"), **chosen, "limit": ROWS})
    return visit.page(
        "audit.html",
        error,
        page=page,
        chosen=chosen,
        details=_details,
        form=visit.form,
        **({"verdict": None} | found),
    )


async def _lines(
    first: list[SealedRow], pages: AsyncIterator[list[SealedRow]], last: SignedCheckpoint
) -> AsyncIterator[bytes]:
    yield _joined(first)
    async for page in pages:
        yield _joined(page)
    yield msgspec.json.encode(last) + b"\n"


def _joined(rows: list[SealedRow]) -> bytes:
    return b"".join(row.line.encode() + b"\n" for row in rows if row.number is not None)


def _shipped(text: str, system: str) -> list[SignedCheckpoint]:
    """The checkpoint of this system that was typed in, if any. Raises FaultyInput, BadSignature."""
    if not text:
        return []
    try:
        signed = documents.read(text.encode(), SignedCheckpoint)
        of = read_checkpoint(signed).system
    except FaultyInput as error:
        raise FaultyInput([Fault("against", "", str(fault)) for fault in error.faults]) from None
    if of != system:
        raise FaultyInput([Fault("against", of, f"is not a checkpoint of {system}")])
    return [signed]


def _details(detail: dict[str, Any]) -> list[tuple[str, str]]:
    """What a row says besides, in few words."""
    return [
        (name, _short(value))
        for name, value in detail.items()
        if value not in ("", []) and not name.startswith("step") and name not in ("by", "by_issuer")
    ]


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{value[name]}" for name in ("decision", "why") if name in value)
    text = shown(value)
    is_digest = len(text) == 64 and set(text) <= set("0123456789abcdef")
    return f"{text[:LONGEST_DETAIL]}…" if is_digest else text

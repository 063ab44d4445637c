"""A new version of the server identities: typed in, or taken over from a document that exists; never entered twice."""

import asyncio
from typing import Any

from starlette.responses import Response

from acmx.domain.errors import AcmxError, InvalidDocument, VersionsDiffer
from acmx.faces.acm1 import rules
from acmx.faces.console.forms import whole
from acmx.faces.console.holdings import identity_form
from acmx.faces.console.visit import Visit
from acmx.provisioning import existing
from acmx.provisioning.xml import parse

MORE = {"more_vplmns": "vplmns", "more_snssai": "snssai"}
"""Buttons that add an empty entry to a list."""

LARGEST_IMPORTED = 256 * 1024
"""Bytes of a document, which has some thousand: reading a large one holds everything else up, in a thread too."""


async def get_entry(visit: Visit) -> Response:
    current = await visit.ask(rules.get_identities)
    return _page(visit, current.server_identity, current.version)


async def post_entry(visit: Visit) -> Response:
    """A new version, unless another was entered meanwhile; of a form that is sent twice there is one version."""
    document, act = identity_form.document_of(visit.form), visit.form.one("act")
    replaced = whole(visit.form.one("replaces"), -1)
    if act in MORE:
        return _page(visit, document, replaced, blank=MORE[act])
    incomplete = visit.form.one("incomplete") == "true"
    given = {"server_identity": document, "incomplete": incomplete, "replaces": replaced}
    try:
        entered = await visit.ask(rules.put_identities, given)
    except VersionsDiffer as error:
        current = await visit.ask(rules.get_identities)
        if current.server_identity == document:
            return visit.go("/identities", "entered")
        return _page(visit, document, current.version, error, before=replaced)
    except AcmxError as error:
        return _page(visit, document, replaced, error)
    return visit.go("/identities", "entered_incomplete" if entered.missing else "entered")


async def get_import(visit: Visit) -> Response:
    await visit.ask(rules.get_identities)
    return visit.page("identities_import.html", document="")


async def post_import(visit: Visit) -> Response:
    """What the UE initial configuration document holds fills the form; nothing is entered yet."""
    text = visit.form.one("document")
    current = await visit.ask(rules.get_identities)
    try:
        found = await asyncio.to_thread(_read, text)
    except InvalidDocument as error:
        return visit.page("identities_import.html", error, document=text)
    return _page(visit, found, current.version, taken_over=True)


def _read(text: str) -> dict[str, Any]:
    """Raises InvalidDocument."""
    return existing.server_identity(parse(text.encode(), LARGEST_IMPORTED))


def _page(
    visit: Visit,
    document: dict[str, Any],
    replaces: int,
    error: AcmxError | None = None,
    *,
    blank: str = "",
    before: int = 0,
    taken_over: bool = False,
) -> Response:
    return visit.page(
        "identities_entry.html",
        error,
        groups=identity_form.groups(document, blank),
        replaces=replaces,
        before=before,
        taken_over=taken_over,
        incomplete=visit.form.one("incomplete") == "true",
    )

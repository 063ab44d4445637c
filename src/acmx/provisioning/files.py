"""The documents of one answer as files, laid out alike wherever they are taken to."""

from collections.abc import Iterator
from urllib.parse import quote

import msgspec

from acmx.domain.acm1 import Documents

MANIFEST = "provisioning.json"


def files(documents: Documents) -> Iterator[tuple[str, bytes]]:
    """The relative path of each and what is in it: the entries of every user, the document, what they were made of.

    Where no users are known, the entries once: they are the same for everybody.
    """
    entries = [(quote(entry.name, safe=""), entry.xml.encode()) for entry in documents.entries]
    homes = [f"users/{quote(user, safe='@')}" for user in documents.users] or ["entries"]
    for home in homes:
        for name, xml in entries:
            yield f"{home}/{name}", xml
    yield quote(documents.name, safe=""), documents.xml.encode()
    yield MANIFEST, msgspec.json.format(msgspec.json.encode(_manifest(documents))) + b"\n"


def _manifest(documents: Documents) -> dict[str, object]:
    return {
        "exchange": documents.id,
        "partner": documents.partner,
        "catalogue": documents.catalogue,
        "template": documents.template,
        "users": len(documents.users),
        "entries": [entry.name for entry in documents.entries],
        "sources": documents.sources,
    }

"""The server identities of this MC system: what is entered, what is missing, who holds which version."""

from collections.abc import Collection

from msgspec import Struct
from starlette.responses import Response

from acmx.domain.acm1 import Identities
from acmx.domain.changes import changes
from acmx.domain.server_identity import ROWS, SERVICES
from acmx.faces.acm1 import rules
from acmx.faces.console.forms import whole
from acmx.faces.console.holdings import identity_form
from acmx.faces.console.visit import Visit

VERSIONS = 20
"""How many are listed on a page."""


class Completeness(Struct, frozen=True):
    """Which MC services are offered, which required rows are missing, and which are left to a partner's template."""

    offered: dict[str, bool]
    missing: list[str]
    left: list[str]


async def get_identities(visit: Visit) -> Response:
    current = await visit.ask(rules.get_identities)
    asked = visit.request.query_params.get("version")
    shown = await visit.ask(rules.get_identities_version, version=asked) if asked else current
    holders = await visit.ask(rules.get_holders)
    newest = min(whole(visit.asked("after").get("after", ""), current.version), current.version)
    oldest = max(0, newest - VERSIONS)
    return visit.page(
        "identities.html",
        current=current,
        shown=shown,
        groups=identity_form.groups(shown.server_identity),
        completeness=completeness(shown),
        holders=holders.items,
        versions=[await _version(visit, current, n) for n in range(newest, oldest, -1)],
        next=str(oldest) if oldest else None,
    )


async def get_difference(visit: Visit) -> Response:
    """Between any two versions."""
    asked = visit.request.query_params
    old = await visit.ask(rules.get_identities_version, version=asked.get("old", ""))
    new = await visit.ask(rules.get_identities_version, version=asked.get("new", ""))
    found = changes(old.server_identity, new.server_identity)
    return visit.page("identities_difference.html", old=old, new=new, changes=found)


def completeness(identities: Identities) -> Completeness:
    entered: Collection[str] = identities.server_identity
    return Completeness(
        offered={name.removesuffix("_server"): name in entered for name in SERVICES},
        missing=[row for row in identities.missing if row in ROWS],
        left=[name for name, row in ROWS.items() if row.must and row.source == "B/T" and name not in entered],
    )


async def _version(visit: Visit, current: Identities, n: int) -> Identities:
    return current if n == current.version else await visit.ask(rules.get_identities_version, version=str(n))

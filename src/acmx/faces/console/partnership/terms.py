"""Our terms for a partner, and how many people must approve, as forms."""

from typing import Any

from msgspec.structs import asdict
from starlette.responses import Response

from acmx.domain.acm1 import Approvals, Partner, Threshold
from acmx.domain.errors import AcmxError, FaultyInput, NotFound
from acmx.domain.faults import Fault
from acmx.faces.acm1 import partners
from acmx.faces.console.forms import whole
from acmx.faces.console.visit import Visit
from acmx.kinds import KINDS
from acmx.trust.roles import ROLES

LIMITS = ("max_open", "max_users", "max_per_hour")
SIDES = ("review", "release")
_UNSET = {"review": Threshold(1), "release": Threshold(0)}


async def get_terms(visit: Visit) -> Response:
    partner = await _partner(visit)
    return _terms(visit, partner, asdict(partner.terms))


async def post_terms(visit: Visit) -> Response:
    form = visit.form
    given: dict[str, Any] = {
        "kinds": form.all("kinds"),
        "askers": form.lines("askers"),
        **{name: whole(form.one(name), form.one(name)) for name in LIMITS},
        "reprovision": bool(form.one("reprovision")),
        "note": form.one("note"),
    }
    try:
        _check_numbers(given, LIMITS)
        await visit.ask(partners.put_terms, given, id=visit.named("id"))
    except AcmxError as error:
        return _terms(visit, await _partner(visit), given, error)
    return visit.go(f"/partners/{visit.named('id')}", "terms_set")


async def get_approvals(visit: Visit) -> Response:
    partner, kind = await _partner(visit), visit.named("kind")
    if kind not in KINDS:
        raise NotFound(f"no kind {kind}")
    held = next((one for one in partner.approvals if one.kind == kind), Approvals(kind=kind))
    sides = {side: getattr(held, side) or _UNSET[side] for side in SIDES}
    filled = {side: (str(held.approvals), held.roles) for side, held in sides.items()}
    return _approvals(visit, partner, filled)


async def post_approvals(visit: Visit) -> Response:
    form = visit.form
    filled = {side: (form.one(side), tuple(form.all(f"{side}_roles"))) for side in SIDES}
    numbers = {side: whole(form.one(side), form.one(side)) for side in SIDES}
    given = {side: {"approvals": numbers[side], "roles": filled[side][1]} for side in SIDES}
    try:
        _check_numbers(numbers, SIDES)
        await visit.ask(partners.put_approvals, {"kind": visit.named("kind"), **given}, id=visit.named("id"))
    except AcmxError as error:
        return _approvals(visit, await _partner(visit), filled, error)
    return visit.go(f"/partners/{visit.named('id')}", "approvals_set")


async def _partner(visit: Visit) -> Partner:
    return await visit.ask(partners.get_partner, id=visit.named("id"))


def _check_numbers(given: dict[str, Any], names: tuple[str, ...]) -> None:
    """Raises FaultyInput."""
    if faults := [Fault(name, given[name], "must be a number") for name in names if type(given[name]) is str]:
        raise FaultyInput(faults)


def _terms(
    visit: Visit, partner: Partner, filled: dict[str, Any], error: AcmxError | None = None
) -> Response:
    return visit.page(
        "partner_terms.html",
        error,
        faults=_at_fields(error),
        partner=partner,
        filled=filled,
        limits=LIMITS,
        kinds=list(KINDS),
    )


def _approvals(
    visit: Visit,
    partner: Partner,
    filled: dict[str, tuple[str, tuple[str, ...]]],
    error: AcmxError | None = None,
) -> Response:
    return visit.page(
        "partner_approvals.html",
        error,
        faults=_at_fields(error),
        partner=partner,
        kind=visit.named("kind"),
        filled=filled,
        roles=list(ROLES),
    )


def _at_fields(error: AcmxError | None) -> list[Fault]:
    """A fault of a member of something is shown at the field of the form that holds it."""
    faults = error.faults if isinstance(error, FaultyInput) else ()
    return [Fault(_field(fault.field), fault.value, _rule(fault)) for fault in faults]


def _field(path: str) -> str:
    """`askers[2]` is at `askers`, `review.approvals` at `review`, `review.roles` at `review_roles`."""
    name, _, member = path.partition(".")
    return f"{name}_roles" if member.startswith("roles") else name.partition("[")[0]


def _rule(fault: Fault) -> str:
    return f"{fault.value}: {fault.rule}" if fault.value else fault.rule

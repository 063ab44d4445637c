"""Our terms for a partner, and how many people must approve, as forms."""

from typing import Any

from starlette.responses import Response

from acmx.domain.acm1 import Approvals, Terms, Threshold
from acmx.domain.errors import AcmxError, Fault, FaultyInput, NotFound
from acmx.faces.acm1 import partners
from acmx.faces.console.forms import Form
from acmx.faces.console.visit import Visit
from acmx.kinds import KINDS
from acmx.trust.roles import ROLES

LIMITS = ("max_open", "max_users", "max_per_hour")
SIDES = ("review", "release")
_UNSET = {"review": Threshold(1), "release": Threshold(0)}


async def get_terms(visit: Visit) -> Response:
    partner = await visit.ask(partners.get_partner, id=visit.named("id"))
    return await _terms(visit, _filled(partner.terms))


async def post_terms(visit: Visit) -> Response:
    form = visit.form
    given: dict[str, Any] = {
        "kinds": form.all("kinds"),
        "askers": form.lines("askers"),
        **{name: _number(form, name) for name in LIMITS},
        "reprovision": bool(form.one("reprovision")),
        "note": form.one("note"),
    }
    try:
        _check_numbers(given, LIMITS)
        await visit.ask(partners.put_terms, given, id=visit.named("id"))
    except AcmxError as error:
        return await _terms(visit, given, error)
    return visit.go(f"/partners/{visit.named('id')}", "terms_set")


async def get_approvals(visit: Visit) -> Response:
    partner = await visit.ask(partners.get_partner, id=visit.named("id"))
    kind = visit.named("kind")
    if kind not in KINDS:
        raise NotFound(f"no kind {kind}")
    held = next((one for one in partner.approvals if one.kind == kind), Approvals(kind=kind))
    sides = {side: getattr(held, side) or _UNSET[side] for side in SIDES}
    return await _approvals(visit, {side: (str(t.approvals), t.roles) for side, t in sides.items()})


async def post_approvals(visit: Visit) -> Response:
    form = visit.form
    filled = {side: (form.one(side), tuple(form.all(f"{side}_roles"))) for side in SIDES}
    numbers = {side: _number(form, side) for side in SIDES}
    given = {side: {"approvals": numbers[side], "roles": filled[side][1]} for side in SIDES}
    try:
        _check_numbers(numbers, SIDES)
        await visit.ask(partners.put_approvals, {"kind": visit.named("kind"), **given}, id=visit.named("id"))
    except AcmxError as error:
        return await _approvals(visit, filled, error)
    return visit.go(f"/partners/{visit.named('id')}", "approvals_set")


def _filled(terms: Terms) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in Terms.__struct_fields__}


def _number(form: Form, name: str) -> int | str:
    text = form.one(name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else text


def _check_numbers(given: dict[str, Any], names: tuple[str, ...]) -> None:
    """Raises FaultyInput."""
    if faults := [Fault(name, given[name], "must be a number") for name in names if type(given[name]) is str]:
        raise FaultyInput(faults)


async def _terms(visit: Visit, filled: dict[str, Any], error: AcmxError | None = None) -> Response:
    return await _page(visit, "partner_terms.html", error, filled=filled, limits=LIMITS, kinds=list(KINDS))


async def _approvals(
    visit: Visit, filled: dict[str, tuple[str, tuple[str, ...]]], error: AcmxError | None = None
) -> Response:
    return await _page(
        visit, "partner_approvals.html", error, kind=visit.named("kind"), filled=filled, roles=list(ROLES)
    )


async def _page(visit: Visit, template: str, error: AcmxError | None, **given: Any) -> Response:
    partner = await visit.ask(partners.get_partner, id=visit.named("id"))
    faults = error.faults if isinstance(error, FaultyInput) else []
    # A member of something is shown at the field of the form that holds it.
    faults = [Fault(_field(fault.field), fault.value, _rule(fault)) for fault in faults]
    status = error.status if error else 200
    return visit.page(template, status, partner=partner, error=error, faults=faults, **given)


def _field(path: str) -> str:
    """`askers[2]` is at `askers`, `review.approvals` at `review`, `review.roles` at `review_roles`."""
    name, _, member = path.partition(".")
    return f"{name}_roles" if member.startswith("roles") else name.partition("[")[0]


def _rule(fault: Fault) -> str:
    return f"{fault.value}: {fault.rule}" if fault.value else fault.rule

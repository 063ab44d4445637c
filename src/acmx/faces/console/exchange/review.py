"""Steps 11 and 12 as pages: everything a reviewer has to know, every user, then one act after a last look.

What was filled in travels in the form from page to page, with `seen`, the versions that the reviewer was shown.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from starlette.responses import Response

from acmx.domain.acm1 import Exchange
from acmx.domain.errors import AcmxError, FaultyInput, VersionsDiffer
from acmx.domain.faults import Fault
from acmx.faces.acm1 import requests, rules
from acmx.faces.console.fields import flat
from acmx.faces.console.forms import Form
from acmx.faces.console.visit import Visit

ALL, NONE, CHOSEN, OTHERS = "all", "none", "chosen", "others"
"""Who is approved."""
SHOWN_USERS = 100
_STAYS = frozenset({"search", "choose_found", "forget", "back"})


class Draft(Struct, frozen=True):
    """A review that is not given yet; `chosen` are users of the request, in its order."""

    seen: str
    approve: str
    chosen: tuple[str, ...]
    search: str
    reason: str
    note: str

    @property
    def whole(self) -> bool:
        return self.approve in (ALL, NONE)

    def approved(self, users: int) -> int:
        return {ALL: users, NONE: 0, CHOSEN: len(self.chosen), OTHERS: users - len(self.chosen)}[self.approve]


async def get_review(visit: Visit) -> Response:
    exchange = await visit.ask(requests.get_request, id=visit.named("id"))
    search = visit.request.query_params.get("search", "")
    return await _page(visit, exchange, Draft(exchange.seen, "", (), search, "", ""))


async def post_review(visit: Visit) -> Response:
    """To look for users and choose them, and then to the last look."""
    exchange = await visit.ask(requests.get_request, id=visit.named("id"))
    act = visit.form.one("act")
    draft = _draft(visit.form, exchange, act)
    if act in _STAYS:
        return await _page(visit, exchange, draft)
    try:
        _check(exchange, draft, visit.form)
    except AcmxError as error:
        return await _page(visit, exchange, draft, error)
    return visit.page("review_sure.html", exchange=exchange, draft=draft, fields=dict(flattened(exchange)))


async def post_decision(visit: Visit) -> Response:
    """The act itself."""
    id_ = visit.named("id")
    exchange = await visit.ask(requests.get_request, id=id_)
    draft = _draft(visit.form, exchange, "")
    try:
        _check(exchange, draft, visit.form, standing=True)
        reviewed = await visit.ask(requests.post_review, _review(draft), id=id_)
    except AcmxError as error:
        return await _page(visit, exchange, draft, error)
    return visit.go(f"/exchanges/{id_}", "undecided" if reviewed.outcome == "undecided" else "decided")


async def post_question(visit: Visit) -> Response:
    id_ = visit.named("id")
    try:
        await visit.ask(requests.post_question, {"text": visit.form.line("text")}, id=id_)
    except AcmxError as error:
        exchange = await visit.ask(requests.get_request, id=id_)
        draft = Draft(exchange.seen, "", (), "", "", "")
        return await _page(visit, exchange, draft, error, question=visit.form.one("text"))
    return visit.go(f"/exchanges/{id_}/review", "asked")


async def _page(
    visit: Visit, exchange: Exchange, draft: Draft, error: AcmxError | None = None, question: str = ""
) -> Response:
    explanation = None
    if exchange.role == "partner":
        explanation = await visit.ask(rules.get_explanation, id=visit.named("id"))
    found = [user for user in exchange.users if draft.search.lower() in user.lower()]
    return visit.page(
        "review.html",
        error,
        exchange=exchange,
        explanation=explanation,
        fields=dict(flattened(exchange)),
        is_open=exchange.approvals_needed is not None,
        draft=draft,
        found=found[:SHOWN_USERS],
        found_total=len(found),
        question=question,
    )


def flattened(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """Every field that an approval gives away, and its value: nothing is summed up."""
    yield from flat((exchange.disclosed or {}).get("server_identity", {}))


def _draft(form: Form, exchange: Exchange, act: str) -> Draft:
    search = form.one("search")
    chosen = set() if act == "forget" else {*form.lines("chosen"), *form.all("user")}
    if act == "choose_found":
        chosen |= {user for user in exchange.users if search.lower() in user.lower()}
    asked = tuple(user for user in exchange.users if user in chosen)
    return Draft(form.one("seen"), form.one("approve"), asked, search, form.line("reason"), form.line("note"))


def _check(exchange: Exchange, draft: Draft, form: Form, *, standing: bool = False) -> None:
    """Raises FaultyInput; VersionsDiffer where what was read has changed, unless ACM-1 is to say what is `standing`."""
    faults = []
    strangers = set(form.lines("chosen")) - set(exchange.users)
    faults += [Fault("chosen", user, "is not in the request") for user in sorted(strangers)]
    if draft.approve not in (ALL, NONE, CHOSEN, OTHERS):
        faults.append(Fault("approve", "", "must be said"))
    elif not draft.whole and not draft.chosen:
        faults.append(Fault("chosen", "", "must name at least one user"))
    if not draft.reason:
        faults.append(Fault("reason", "", "must be given"))
    if faults:
        raise FaultyInput(faults)
    if not standing and draft.seen != exchange.seen:
        raise VersionsDiffer(f"seen {draft.seen}, now {exchange.seen}", seen=exchange.seen)


def _review(draft: Draft) -> dict[str, Any]:
    given = {"reason": draft.reason, "seen": draft.seen} | ({"note": draft.note} if draft.note else {})
    if draft.whole:
        return given | {"verdicts": [{"approved": draft.approve == ALL}]}
    approved = draft.approve == CHOSEN
    verdicts = [{"approved": approved, "users": list(draft.chosen)}, {"approved": not approved}]
    return given | {"verdicts": verdicts}

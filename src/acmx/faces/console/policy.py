"""What this MC system answers without a person: the text that holds, another one tried, and set after a last look."""

from collections import Counter
from typing import Any

from starlette.responses import Response

from acmx.domain.acm1 import Tried
from acmx.domain.errors import AcmxError, FaultyInput, VersionsDiffer
from acmx.domain.faults import Fault
from acmx.faces.acm1 import rules
from acmx.faces.console.exchange.exchanges import purposes
from acmx.faces.console.forms import Form, whole
from acmx.faces.console.visit import Visit
from acmx.kinds import FORMER

LAST, MOST = 100, 1000
"""How many of the last requests are tried, usually and at most."""
STRIKING = {("approved", "decline"), ("partly-approved", "decline"), ("declined", "approve")}
"""What happened, and what would have: where a policy would have done the opposite of it."""

UNKNOWN = "unknown"
"""What it would have said where the facts of a request were not kept."""


async def get_policy(visit: Visit) -> Response:
    policy = await visit.ask(rules.get_policy)
    roles = (await visit.ask(rules.get_roles)).items
    permissions = list(dict.fromkeys(permission for role in roles for permission in role.may))
    return visit.page("policy.html", policy=policy, former=FORMER, roles=roles, permissions=permissions)


async def get_trial(visit: Visit) -> Response:
    policy = await visit.ask(rules.get_policy)
    against = visit.request.query_params.get("against", "")
    return _page(visit, {"text": policy.text, "against": against, "last": str(LAST)}, policy.version)


async def post_trial(visit: Visit) -> Response:
    """What the text would have said to requests that have arrived; nothing changes."""
    given, replaces = _given(visit.form), whole(visit.form.one("replaces"), -1)
    if visit.form.one("act") == "back":
        return _page(visit, given, replaces)
    try:
        tried = await _try(visit, given)
    except AcmxError as error:
        return _page(visit, given, replaces, error)
    return _page(visit, given, replaces, tried=tried, purposes=await purposes(visit, MOST))


async def post_policy(visit: Visit) -> Response:
    """A last look; then the text is set where the version that was looked at still holds, and once."""
    given, replaces = _given(visit.form), whole(visit.form.one("replaces"), -1)
    try:
        if visit.form.one("sure") != "yes":
            checked = await visit.ask(rules.post_policy_check, {"text": given["text"]})
            holds = await visit.ask(rules.get_policy)
            return visit.page(
                "policy_sure.html", checked=checked, holds=holds, given=given, replaces=replaces
            )
        await visit.ask(rules.put_policy, {"text": given["text"], "replaces": replaces})
    except VersionsDiffer as error:
        holds = await visit.ask(rules.get_policy)
        if holds.text != given["text"]:
            return _page(visit, given, holds.version, error)
    except AcmxError as error:
        return _page(visit, given, replaces, error)
    return visit.go("/policy", "policy_set")


def _page(
    visit: Visit,
    given: dict[str, str],
    replaces: int,
    error: AcmxError | None = None,
    **found: Any,
) -> Response:
    """With what was `found` of those that were tried, if any were."""
    tried: list[Tried] = found.get("tried", [])
    faults = error.faults if isinstance(error, FaultyInput) else []
    return visit.page(
        "policy_trial.html",
        error,
        given=given,
        replaces=replaces,
        counted=sorted(Counter((one.outcome or one.state, one.would or UNKNOWN) for one in tried).items()),
        striking=STRIKING,
        faults=[*faults, *_of_the_text(faults)],
        **{"tried": None} | found,
    )


async def _try(visit: Visit, given: dict[str, str]) -> list[Tried]:
    trial: dict[str, Any] = {"text": given["text"]}
    if given["against"]:
        page = await visit.ask(rules.post_policy_trial, trial | {"against": given["against"]})
        return page.items
    wanted, found, after = whole(given["last"], 0), list[Tried](), dict[str, str]()
    if not 1 <= wanted <= MOST:
        raise FaultyInput([Fault("last", given["last"][:50], f"must be a number from 1 to {MOST:,}")])
    while len(found) < wanted:
        query = {"limit": wanted - len(found), **after}
        page = await visit.ask(rules.post_policy_trial, trial, query=query)
        found += page.items
        if page.next is None:
            break
        after = {"after": page.next}
    return found


def _given(form: Form) -> dict[str, str]:
    return {name: form.one(name) for name in ("text", "against", "last")}


def _of_the_text(faults: list[Fault]) -> list[Fault]:
    """Faults of a policy name a rule; the field of the form in which they are is the text."""
    return [
        Fault("text", fault.value, str(fault)) for fault in faults if fault.field not in ("against", "last")
    ]

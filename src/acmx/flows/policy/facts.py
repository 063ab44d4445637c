"""The facts that policy may look at: aggregates of a request (docs/policy.md names each)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from acmx.domain.identities import mc_service_id
from acmx.domain.messages import Request
from acmx.kinds import kind_named


def facts_of(request: Request, now: datetime) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "users": len(request.users),
        "realms": _realms(request.users),
        "urgency": request.urgency,
        "hour": now.hour,
        "weekday": now.isoweekday(),
        "referenced": request.reference is not None,
        "addressed": request.addressee is not None,
    }
    if request.valid_until is not None:
        facts["valid_days"] = (request.valid_until - now).days
    return facts | kind_named(request.kind).facts(request)


def _realms(users: Sequence[str]) -> list[str]:
    """The SIP hosts and phone contexts in the list, and `tel` for global numbers."""
    one_of_each = {user.rpartition("@")[2] if "@" in user else user.partition(";")[2]: user for user in users}
    return sorted({mc_service_id(user).host or "tel" for user in one_of_each.values()})

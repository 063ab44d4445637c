"""A request that is not submitted yet, as it travels in the form."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.user_lists import read_users
from acmx.faces.console.forms import File, Form

MOMENTS = ("valid_from", "valid_until", "expires_at")
LINES = ("key", "partner", "purpose", "urgency", "reference", "addressee", "alias", *MOMENTS)
SHOWN = 20
MOST_LINES = 100_000
_ADDRESSED = {"addressee.mc_service_id": "addressee", "addressee.functional_alias": "alias"}
_line = re.compile(r"users line \d+")


class Kind(Struct, frozen=True):
    """A kind of exchange; `place` names its pages and its texts."""

    name: str
    place: str


ASKING = Kind("server-identity", "requests")
GIVING = Kind("server-identity-provision", "giving")


class Draft(Struct, frozen=True, kw_only=True):
    """What was filled in, word for word; `users` as a list or a table. Moments are in UTC."""

    kind: Kind
    key: str = ""
    partner: str = ""
    users: str = ""
    purpose: str = ""
    services: tuple[str, ...] = ()
    urgency: str = "normal"
    reference: str = ""
    addressee: str = ""
    alias: str = ""
    valid_from: str = ""
    valid_until: str = ""
    expires_at: str = ""

    @classmethod
    def of(cls, form: Form, kind: Kind) -> "Draft":
        lines = {name: line for name in LINES if (line := form.line(name))}
        return cls(kind=kind, users=form.one("users"), services=tuple(form.all("services")), **lines)

    @property
    def fields(self) -> dict[str, str]:
        """All but the services, to be carried on."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, str)}

    def with_file(self, file: File | None) -> "Draft":
        """With the users in this file. Raises FaultyInput."""
        return self.with_users(_users(file.content, file.name)) if file else self

    def with_users(self, users: Iterable[str]) -> "Draft":
        """With these, but nobody twice. Raises FaultyInput where those that are here cannot be read."""
        here = _users(self.users.encode(), "users") if self.users else ()
        return replace(self, users="\n".join(dict.fromkeys((*here, *users))))


def submission_of(draft: Draft) -> dict[str, Any]:
    """The members of a Submission. Raises FaultyInput."""
    given: dict[str, Any] = {"kind": draft.kind.name, "urgency": draft.urgency}
    given |= {name: value for name in ("partner", "purpose", "reference") if (value := getattr(draft, name))}
    given |= {name: _moment(name, value) for name in MOMENTS if (value := getattr(draft, name))}
    faults = [Fault(name, "", "must be given") for name in ("partner", "purpose") if name not in given]
    if faults:
        raise FaultyInput(faults)
    if draft.kind.place == "requests":
        given["users"] = _users(draft.users.encode(), "users")
    named = {"mc_service_id": draft.addressee, "functional_alias": draft.alias}
    if addressee := {name: value for name, value in named.items() if value}:
        given["addressee"] = addressee
    if draft.services:
        given["content"] = {"services": list(draft.services)}
    return given


def shown_faults(faults: Iterable[Fault]) -> list[Fault]:
    """With the first ones, each put to its field of the form."""
    here: list[Fault] = []
    for fault in faults:
        if _line.fullmatch(fault.field):
            here.append(Fault("users", fault.value, str(fault).removeprefix("users ")))
        elif fault.field in _ADDRESSED:
            here.append(Fault(_ADDRESSED[fault.field], fault.value, fault.rule))
        else:
            here.append(fault)
    return here[:SHOWN]


def _users(content: bytes, source: str) -> tuple[str, ...]:
    if content.count(b"\n") > MOST_LINES:
        raise FaultyInput([Fault(source, "", f"must have at most {MOST_LINES:,} lines")])
    return read_users(content, source)


def _moment(name: str, value: str) -> str:
    """Without an offset it is UTC. Raises FaultyInput."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise FaultyInput([Fault(name, value[:50], "must be a time")]) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()

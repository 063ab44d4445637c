"""Changes of accounts that wait for a second operator, and people whom an OpenID provider vouches for."""

from typing import Literal

from msgspec import Struct

from acmx.domain.messages import Line, Moment, Short

What = Literal["add", "change", "enable", "choose", "free", "approvals"]


class AccountApprovals(Struct, frozen=True, forbid_unknown_fields=True):
    """How many operators it takes to give somebody a role: one, or another one who approves."""

    needed: Literal[1, 2]


class WaitingChange(Struct, frozen=True, omit_defaults=True):
    """What was asked for an account; it is not so yet."""

    id: str
    account: str
    what: What
    asked_at: Moment
    asked_by: str
    asked_by_account: str
    mc_service_id: str | None = None
    roles_before: list[str] = []
    roles: list[str] = []
    mail: str | None = None
    functional_aliases: list[str] = []
    automatic: bool = False
    needed: int | None = None


class WaitingChanges(Struct, frozen=True, omit_defaults=True):
    """A page of what waits, oldest first."""

    items: list[WaitingChange]
    next: str | None = None


class AccountApprovalsSet(Struct, frozen=True, omit_defaults=True):
    """What holds; `waiting`: the id of the change that waits."""

    needed: int
    operators: int
    waiting: str | None = None


class ChangeRefusal(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Why it shall not be."""

    reason: Line | None = None


class VouchedPerson(Struct, frozen=True, omit_defaults=True):
    """A subject of an OpenID provider that has logged on, and the MC service ID that is its own since then."""

    mc_service_id: str
    account: str
    issuer: str
    roles: list[str]
    since: Moment
    waiting: str | None = None


class VouchedPeople(Struct, frozen=True, omit_defaults=True):
    """A page of them, by MC service ID."""

    items: list[VouchedPerson]
    next: str | None = None


class Freed(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose MC service ID is to be free for the next who comes with it."""

    mc_service_id: Short

"""Changes of accounts that wait for a second operator, and people whom an OpenID provider vouches for."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from acmx.domain import meanings
from acmx.domain.messages import Line, Moment, Short

What = Literal["add", "change", "enable", "choose", "free", "approvals"]


class AccountApprovals(Struct, frozen=True, forbid_unknown_fields=True):
    """How many operators it takes to give somebody a role: one, or another one who approves."""

    needed: Annotated[Literal[1, 2], meanings.NEEDED]


class WaitingChange(Struct, frozen=True, omit_defaults=True):
    """What was asked for an account; it is not so yet."""

    id: Annotated[str, Meta(description="id of the change")]
    account: Annotated[
        str, Meta(description="name of the account; of `free` the MC service ID, of `approvals` empty")
    ]
    what: Annotated[What, Meta(description="what is asked")]
    asked_at: Annotated[Moment, Meta(description="when it was asked")]
    asked_by: Annotated[str, Meta(description="MC service ID of the operator who asked")]
    asked_by_account: Annotated[str, Meta(description="account of that operator")]
    mc_service_id: Annotated[
        str | None, Meta(description="MC service ID that the account has, or would have")
    ] = None
    roles_before: Annotated[list[str], Meta(description="its roles so far")] = []
    roles: Annotated[list[str], Meta(description="its roles once it is approved")] = []
    mail: Annotated[str | None, Meta(description="its mail address once it is approved")] = None
    functional_aliases: Annotated[list[str], Meta(description="its functional aliases")] = []
    automatic: Annotated[bool, meanings.AUTOMATIC] = False
    needed: Annotated[int | None, Meta(description="of `approvals`: how many operators it would take")] = None


class WaitingChanges(Struct, frozen=True, omit_defaults=True):
    """A page of what waits, oldest first."""

    items: Annotated[list[WaitingChange], meanings.OLDEST_FIRST]
    next: Annotated[str | None, meanings.NEXT] = None


class AccountApprovalsSet(Struct, frozen=True, omit_defaults=True):
    """How many operators it takes to give somebody a role, and how many there are."""

    needed: Annotated[int, meanings.NEEDED]
    operators: Annotated[int, Meta(description="how many people there are who may ask or approve")]
    waiting: Annotated[str | None, Meta(description="id of the change of `needed` that waits")] = None


class ChangeRefusal(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Why it shall not be."""

    reason: Annotated[Line | None, Meta(description="why; written down")] = None


class VouchedPerson(Struct, frozen=True, omit_defaults=True):
    """A subject of an OpenID provider that has logged on, and the MC service ID that is its own since then."""

    mc_service_id: Annotated[str, Meta(description="the MC service ID that is this subject's")]
    account: Annotated[str, Meta(description="`oidc:` and the subject")]
    issuer: Annotated[str, Meta(description="the OpenID provider")]
    roles: Annotated[list[str], Meta(description="at the last log-on; none of an agent")]
    since: Annotated[Moment, Meta(description="when the subject came with it first")]
    waiting: Annotated[str | None, Meta(description="id of the freeing that waits for a second operator")] = (
        None
    )


class VouchedPeople(Struct, frozen=True, omit_defaults=True):
    """A page of them, by MC service ID."""

    items: Annotated[list[VouchedPerson], Meta(description="by MC service ID")]
    next: Annotated[str | None, meanings.NEXT] = None


class Freed(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose MC service ID is to be free for the next who comes with it."""

    mc_service_id: Annotated[Short, Meta(description="MC service ID of a subject of the OpenID provider")]

"""Roles and what each may do: one table. What is not in it is denied."""

from collections.abc import Collection
from typing import Literal

from msgspec import Struct

from acmx.domain.errors import NotAllowed

Permission = Literal[
    "read-own",
    "submit",
    "withdraw",
    "retrieve",
    "provision",
    "review",
    "read-all",
    "audit",
    "partners",
    "partners-read",
    "identities",
    "identities-read",
    "policy",
    "policy-read",
    "accounts",
    "links",
    "health",
    "clock",
]

ROLES: dict[str, frozenset[Permission]] = {
    "requester": frozenset({"read-own", "submit", "withdraw", "retrieve", "provision", "partners-read"}),
    "reviewer": frozenset({"read-own", "review", "partners-read", "identities-read", "policy-read"}),
    "partner-administrator": frozenset(
        {"read-own", "partners", "partners-read", "policy", "policy-read", "links"}
    ),
    "identity-editor": frozenset({"read-own", "identities", "identities-read", "provision", "partners-read"}),
    "auditor": frozenset(
        {"read-own", "read-all", "audit", "partners-read", "identities-read", "policy-read", "health"},
    ),
    "operator": frozenset({"read-own", "accounts", "partners-read", "audit", "links", "health", "clock"}),
}


class Caller(Struct, frozen=True):
    """Who calls ACM-1: an account that has logged on. `logged_on_at` in milliseconds."""

    account: str
    mc_service_id: str
    functional_aliases: tuple[str, ...]
    roles: tuple[str, ...]
    logged_on_at: int
    automatic: bool = False

    def may(self, permission: Permission) -> bool:
        return any(permission in ROLES.get(role, frozenset()) for role in self.roles)

    def must(self, permission: Permission) -> None:
        """Raises NotAllowed with the rule."""
        if not self.may(permission):
            raise NotAllowed(f"no role of {self.account} permits {permission}", rule=f"role:{permission}")

    @property
    def names(self) -> Collection[str]:
        """The identities under which requests may be addressed to this caller."""
        return (self.mc_service_id, *self.functional_aliases)

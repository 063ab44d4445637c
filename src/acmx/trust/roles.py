"""Roles and what each may do: one table. What is not in it is denied."""

from collections.abc import Collection
from typing import Literal

from msgspec import Struct

from acmx.domain.acm1 import PermissionShown, Roles, RoleShown
from acmx.domain.errors import NotAllowed

Permission = Literal[
    "read-own",
    "submit",
    "give",
    "answer",
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
    "forks",
    "evidence",
    "purge",
]

ROLES: dict[str, frozenset[Permission]] = {
    "requester": frozenset(
        {"read-own", "submit", "answer", "withdraw", "retrieve", "provision", "partners-read"}
    ),
    "reviewer": frozenset({"read-own", "review", "partners-read", "identities-read", "policy-read"}),
    "partner-administrator": frozenset(
        {"read-own", "partners", "partners-read", "policy", "policy-read", "links"}
    ),
    "identity-editor": frozenset(
        {
            "read-own",
            "identities",
            "identities-read",
            "give",
            "answer",
            "withdraw",
            "retrieve",
            "provision",
            "partners-read",
        }
    ),
    "auditor": frozenset(
        {
            "read-own",
            "read-all",
            "audit",
            "partners-read",
            "identities-read",
            "policy-read",
            "health",
            "evidence",
        },
    ),
    "operator": frozenset(
        {"read-own", "accounts", "partners-read", "audit", "links", "health", "clock", "forks", "purge"}
    ),
}

MEANINGS: dict[Permission, str] = {
    "read-own": "see the exchanges that concern the person, and what waits for the person",
    "submit": "ask a partner MC system",
    "give": "give the server identity information to a partner MC system, unasked",
    "answer": "answer the questions of a partner about an own request",
    "withdraw": "take an own request back",
    "retrieve": "fetch the answer to an own request",
    "review": "decide requests of partners addressed to the person or to nobody, and ask back",
    "read-all": "see every exchange",
    "audit": "read the journal, and what people were told",
    "partners": "add, accept, suspend and resume partners, and compare exchanges with them",
    "partners-read": "see the partners",
    "identities": "enter the server identity information, and see what partners gave",
    "identities-read": "see the server identity information",
    "policy": "set the policy, and see the facts on which it was asked for every request",
    "policy-read": "see the policy, check and try another one",
    "accounts": "add, list and disable accounts",
    "links": "check partners, see the outbox, and have it sent now",
    "health": "see how the server is",
    "clock": "confirm the server's clock",
    "forks": "say why the journal is another than the one whose checkpoints were shipped",
    "provision": "put documents on the CMS: of own requests, an identity editor of all, and of what partners gave",
    "evidence": "take the evidence of an exchange away",
    "purge": "remove what is past its retention",
}
"""Each permission in plain words, after «may»."""


IN_DOUBT: frozenset[Permission] = frozenset({"read-own", "accounts"})
"""What an account may at most whose MC service ID is also another's: nothing in that person's name."""
IDENTITY_RULE = "mc-service-id"


class Caller(Struct, frozen=True):
    """Who calls ACM-1: an account that has logged on. `logged_on_at` in milliseconds.

    `issuer` is that of the OpenID provider, empty for a local account; `in_doubt`: its MC service ID is not its alone.
    """

    account: str
    mc_service_id: str
    functional_aliases: tuple[str, ...]
    roles: tuple[str, ...]
    logged_on_at: int
    automatic: bool = False
    issuer: str = ""
    in_doubt: bool = False

    def may(self, permission: Permission) -> bool:
        if self.in_doubt and permission not in IN_DOUBT:
            return False
        return any(permission in ROLES.get(role, frozenset()) for role in self.roles)

    def must(self, permission: Permission) -> None:
        """Raises NotAllowed with the rule."""
        if self.in_doubt and permission not in IN_DOUBT:
            raise NotAllowed(
                f"several accounts have {self.mc_service_id}, and none is chosen: an operator chooses one",
                rule=IDENTITY_RULE,
            )
        if not self.may(permission):
            raise NotAllowed(f"no role of {self.account} permits {permission}", rule=f"role:{permission}")

    @property
    def by(self) -> dict[str, str]:
        """The account as the journal names it beside the MC service ID."""
        return {"by": self.account} | ({"by_issuer": self.issuer} if self.issuer else {})

    @property
    def names(self) -> Collection[str]:
        """The identities under which requests may be addressed to this caller."""
        return (self.mc_service_id, *self.functional_aliases)


def shown() -> Roles:
    """The table as a document, in its own order."""
    return Roles(
        [
            RoleShown(role, [PermissionShown(name, MEANINGS[name]) for name in MEANINGS if name in granted])
            for role, granted in ROLES.items()
        ]
    )

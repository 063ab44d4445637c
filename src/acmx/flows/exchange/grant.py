"""What stands of an approval, at both systems: the response, as later updates and revocations have changed it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from acmx.domain import acm1
from acmx.domain.changes import changes
from acmx.domain.messages import Response, Revocation, Update
from acmx.storage.exchange.messages import Stored

LATER: dict[str, type[Update | Revocation]] = {"update": Update, "revocation": Revocation}
"""What changes an approval, in the order of `n`."""


class Standing(Struct, frozen=True):
    """The request, the response, the content that holds now, and for whom the approval was taken back.

    `said` is the digest of the message that changed it last.
    """

    request: Stored | None
    response: Response
    content: dict[str, Any]
    revoked: frozenset[str]
    said: str
    updated_at: datetime | None
    updates: tuple[acm1.UpdateShown, ...]
    revocations: tuple[acm1.RevocationShown, ...]

    @property
    def approved(self) -> list[str]:
        """Whom the response approved, in its order."""
        verdicts = self.response.verdicts
        return [user for verdict in verdicts if verdict.approved for user in verdict.users]

    @property
    def users(self) -> list[str]:
        """Who is approved still."""
        return [user for user in self.approved if user not in self.revoked]

    def left_without(self, users: Iterable[str]) -> int:
        """How many stay approved when it is taken back for these."""
        gone = frozenset(users)
        return sum(user not in gone for user in self.users)


def standing(stored: Iterable[Stored]) -> Standing | None:
    """None where there is no response with a body."""
    kept = [message for message in stored if message.body]
    answer = next((message for message in kept if message.type == "response"), None)
    if answer is None:
        return None
    response = msgspec.json.decode(answer.body, type=Response)
    content, said = response.content, answer.digest
    updates, revocations = list[acm1.UpdateShown](), list[acm1.RevocationShown]()
    for message in sorted((m for m in kept if m.type in LATER), key=lambda m: m.n):
        later = msgspec.json.decode(message.body, type=LATER[message.type])
        said = message.digest
        if isinstance(later, Update):
            updates.append(acm1.UpdateShown(later.n, later.created_at, changes(content, later.content)))
            content = later.content
        else:
            person = later.handler.mc_service_id
            revocations.append(
                acm1.RevocationShown(later.n, later.created_at, person, later.users, later.reason)
            )
    return Standing(
        request=next((message for message in kept if message.type == "request"), None),
        response=response,
        content=content,
        revoked=frozenset(user for revocation in revocations for user in revocation.users),
        said=said,
        updated_at=updates[-1].created_at if updates else None,
        updates=tuple(updates),
        revocations=tuple(revocations),
    )

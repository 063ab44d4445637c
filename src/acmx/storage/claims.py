"""Whose an MC service ID is: one row for each that somebody has, and the database takes no second one."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class Claim(msgspec.Struct, frozen=True):
    """`person` is the MC service ID in its canonical form; `since` in milliseconds.

    `account` is a local account, or with an `issuer` a subject of that OpenID provider, as `oidc:SUBJECT`; None where
    several accounts had it before and none is chosen yet. `roles` of such a subject are those of its last log-on.
    """

    person: str
    mc_service_id: str
    account: str | None
    issuer: str
    roles: str
    since: int

    def is_of(self, account: str, issuer: str) -> bool:
        return (self.account, self.issuer) == (account, issuer)


_SELECT = f"SELECT {rows.columns(Claim)} FROM claim"  # noqa: S608


def find(tx: Tx, person: str) -> Claim | None:
    return rows.one(Claim, tx.row(f"{_SELECT} WHERE person = :person", {"person": person}))


def take(tx: Tx, claim: Claim) -> bool:
    """False where somebody has it."""
    return tx.execute(rows.insert("claim", Claim) + " ON CONFLICT DO NOTHING", rows.params(claim)) == 1


def replace(tx: Tx, claim: Claim) -> None:
    """All but the person."""
    tx.execute(
        f"UPDATE claim SET {rows.update(Claim, without=('person',))} WHERE person = :person",  # noqa: S608
        rows.params(claim),
    )


def drop(tx: Tx, person: str) -> None:
    tx.execute("DELETE FROM claim WHERE person = :person", {"person": person})


def drop_issuer(tx: Tx, issuer: str) -> int:
    """Those of an OpenID provider; how many."""
    return tx.execute("DELETE FROM claim WHERE issuer = :issuer", {"issuer": issuer})


def issuers(tx: Tx) -> list[str]:
    return [issuer for (issuer,) in tx.rows("SELECT DISTINCT issuer FROM claim WHERE issuer <> ''")]


def vouched(tx: Tx, *, after: str = "", limit: int) -> list[Claim]:
    """Those of OpenID providers, by person."""
    return rows.many(
        Claim,
        tx.rows(
            f"{_SELECT} WHERE issuer <> '' AND person > :after ORDER BY person LIMIT :limit",
            {"after": after, "limit": limit},
        ),
    )


def is_any_open(tx: Tx) -> bool:
    """Whether for any of them an account has to be chosen."""
    return tx.row("SELECT 1 FROM claim WHERE account IS NULL LIMIT 1") is not None


def every(tx: Tx) -> list[Claim]:
    return rows.many(Claim, tx.rows(f"{_SELECT} ORDER BY person"))

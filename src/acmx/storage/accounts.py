"""Local accounts and their tokens; passwords and tokens are stored as hashes."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class Account(msgspec.Struct, frozen=True):
    """`functional_aliases` and `roles` are comma-separated."""

    name: str
    mc_service_id: str
    functional_aliases: str
    roles: str
    password_hash: str
    automatic: int
    disabled: int
    created_at: int
    mail: str | None = None

    @property
    def names(self) -> list[str]:
        """The identities under which requests may be addressed to it."""
        return [self.mc_service_id, *filter(None, self.functional_aliases.split(","))]


class Token(msgspec.Struct, frozen=True):
    """`hash` is the SHA-256 of the token."""

    hash: str
    account: str
    logged_on_at: int
    ends_at: int


class Unlocked(msgspec.Struct, frozen=True, tag=True):
    """Signal: failed log-ons under this name are forgotten."""

    name: str


_SELECT = f"SELECT {rows.columns(Account)} FROM account"  # noqa: S608


def find(tx: Tx, name: str) -> Account | None:
    return rows.one(Account, tx.row(f"{_SELECT} WHERE name = :name", {"name": name}))


def enabled(tx: Tx) -> list[Account]:
    """By name."""
    return rows.many(Account, tx.rows(f"{_SELECT} WHERE disabled = 0 ORDER BY name"))


def insert(tx: Tx, account: Account) -> bool:
    """False where the name is taken."""
    return tx.execute(rows.insert("account", Account) + " ON CONFLICT DO NOTHING", rows.params(account)) == 1


def replace(tx: Tx, account: Account) -> None:
    """All but name and password."""
    tx.execute(
        f"UPDATE account SET {rows.update(Account, without=('name', 'password_hash'))} WHERE name = :name",  # noqa: S608
        rows.params(account),
    )


def change_password(tx: Tx, account: Account, password_hash: str) -> bool:
    """False where it is not the account's password any more that is to be replaced."""
    changed = tx.execute(
        "UPDATE account SET password_hash = :new WHERE name = :name AND password_hash = :old",
        {"name": account.name, "old": account.password_hash, "new": password_hash},
    )
    return changed == 1


def end_sessions(tx: Tx, name: str) -> None:
    tx.execute("DELETE FROM token WHERE account = :name", {"name": name})


def end_sessions_after(tx: Tx, now: int) -> None:
    """Those that began later than that, so that they would last too long."""
    tx.execute("DELETE FROM token WHERE logged_on_at > :now", {"now": now})


def mails_of(tx: Tx, person: str | None) -> list[str]:
    """The mail addresses of the enabled accounts with this MC service ID or functional alias, each once.

    `person` as in `notices.Entry`.
    """
    if person is None:
        return []
    named = person.split()
    reachable = rows.many(
        Account,
        tx.rows(
            f"{_SELECT} WHERE mail IS NOT NULL AND disabled = 0 "
            "AND (mc_service_id = :person OR functional_aliases <> '') ORDER BY mail",
            {"person": named[0]},
        ),
    )
    return list(
        dict.fromkeys(
            account.mail for account in reachable if account.mail and not set(named).isdisjoint(account.names)
        )
    )


def page(tx: Tx, *, after: str, limit: int) -> list[Account]:
    return rows.many(
        Account,
        tx.rows(
            f"{_SELECT} WHERE name > :after ORDER BY name LIMIT :limit", {"after": after, "limit": limit}
        ),
    )


def insert_token(tx: Tx, token: Token, now: int) -> None:
    tx.execute("DELETE FROM token WHERE ends_at <= :now", {"now": now})
    tx.execute(rows.insert("token", Token), rows.params(token))


def delete_token(tx: Tx, token_hash: str) -> bool:
    return tx.execute("DELETE FROM token WHERE hash = :hash", {"hash": token_hash}) == 1


def holder(tx: Tx, token_hash: str, now: int) -> tuple[Account, Token] | None:
    """The enabled account of a token that has not ended."""
    token = rows.one(
        Token,
        tx.row(
            f"SELECT {rows.columns(Token)} FROM token WHERE hash = :hash AND ends_at > :now",  # noqa: S608
            {"hash": token_hash, "now": now},
        ),
    )
    account = find(tx, token.account) if token else None
    return (account, token) if token and account and not account.disabled else None

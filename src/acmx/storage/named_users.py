"""The own users of a job that nobody else has named: of documents of what a partner gave unasked."""

from collections.abc import Sequence

import msgspec

from acmx.storage.engine import Tx


def put(tx: Tx, job: str, users: Sequence[str]) -> None:
    tx.execute(
        "INSERT INTO provisioning_users (job, users) VALUES (:job, :users)",
        {"job": job, "users": msgspec.json.encode(users).decode()},
    )


def of_job(tx: Tx, job: str) -> list[str]:
    row = tx.row("SELECT users FROM provisioning_users WHERE job = :job", {"job": job})
    return msgspec.json.decode(row[0], type=list[str]) if row else []


def pushed(tx: Tx, primary: str, exchange: str) -> list[str]:
    """Whom the jobs that put documents of this exchange on the CMS have named, each once."""
    found = tx.rows(
        "SELECT u.users FROM provisioning_users u JOIN provisioning p ON p.id = u.job "
        "WHERE p.primary_system = :primary AND p.exchange = :exchange AND p.mode = 'push' ORDER BY p.id",
        {"primary": primary, "exchange": exchange},
    )
    return list(
        dict.fromkeys(user for (users,) in found for user in msgspec.json.decode(users, type=list[str]))
    )

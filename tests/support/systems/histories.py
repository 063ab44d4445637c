"""A PostgreSQL database that goes back to what it was, and a synchronous standby that is away."""

import psycopg

from support.systems import engines
from support.systems.systems import eventually


class Copies:
    """Copies of a database in its place: what a standby had when it was promoted, or a data directory put back."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._kept = ""

    def keep(self) -> None:
        """Of what is there now. Whoever is connected has to connect again."""
        self._admit("false")
        self._kept = engines.make(self._url)
        self._admit("true")

    def put_back(self) -> None:
        self._admit("false")
        here, kept = engines.name_of(self._url), engines.name_of(self._kept)
        engines.ask(f"ALTER DATABASE {here} RENAME TO {here}_gone")
        engines.ask(f"ALTER DATABASE {kept} RENAME TO {here}")
        engines.ask(f"DROP DATABASE {here}_gone WITH (FORCE)")

    def _admit(self, others: str) -> None:
        engines.ask(f"ALTER DATABASE {engines.name_of(self._url)} ALLOW_CONNECTIONS {others}")
        engines.disconnect(self._url)


def wait_for_standbys(names: str) -> None:
    """Every COMMIT does so from now on; with an empty name none."""
    engines.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
    engines.ask("SELECT pg_reload_conf()")


async def waits_for_standby(url: str) -> int:
    """The one whose COMMIT does; the id of its process."""
    asked = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep' "
        "AND pid <> pg_backend_pid()"
    )

    def look() -> tuple[int] | None:
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(asked).fetchone()

    (pid,) = await eventually(look, bool)
    return pid

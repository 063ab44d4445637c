"""What goes wrong with a PostgreSQL database, and what it means to whoever asked for something."""

from typing import Final

import psycopg

from acmx.storage.engines.troubles import DAMAGED, Reasons


class FormerPrimary(psycopg.OperationalError):
    """The server is behind what this process has seen, or another one altogether."""


class Unconfirmed(psycopg.OperationalError):
    """The COMMIT was done, and the synchronous standby has not confirmed it."""


class StandbyForgone(Unconfirmed):
    """PostgreSQL goes on without its synchronous standby, or none shows that it has what was committed."""


class Emptied(psycopg.OperationalError):
    """The table `batch` has no row, though it never is without one."""


DAMAGE: Final = (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted)
REASONS: Final[Reasons] = {
    StandbyForgone: "The database goes on without its synchronous standby, which is required here.",
    Unconfirmed: "The synchronous standby of the database does not confirm what is written.",
    FormerPrimary: "The database that answers is not the one that was written to last, or a former primary of it.",
    Emptied: "Somebody has emptied the table `batch` of the database: stop all servers, run acmx migrate, start them.",
    **dict.fromkeys(DAMAGE, DAMAGED),
    psycopg.errors.DiskFull: "The disk of the database is full.",
    psycopg.errors.ReadOnlySqlTransaction: "The database cannot be written to.",
    psycopg.errors.LockNotAvailable: "Another process holds the database.",
    psycopg.OperationalError: "The database cannot be reached.",
}

"""A database as another process opens it, beside the server whose it is."""

from pathlib import Path

import apsw


def another_connection(path: Path) -> apsw.Connection:
    """Wait for a lock that the server holds for a moment, as every well-behaved process does."""
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(5000)
    return connection

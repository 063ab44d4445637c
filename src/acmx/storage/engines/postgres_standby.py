"""What shows that a synchronous standby holds what was committed: what the standby said it has flushed.

That a setting names a standby shows nothing: a COMMIT waits for none in the moments until PostgreSQL has heard of it.
"""

from time import monotonic, sleep
from typing import Final

from acmx.storage.engines.postgres_connection import Connection

FLUSHED_WITHIN_S: Final = 1.0
"""So long the standby may need for what others wrote since: each answers for its COMMIT alone."""
_LOOK_EVERY_S: Final = 0.005
BLIND: Final = (
    "the user of the database may not see what the standbys have flushed, which require_synchronous asks for: "
    "GRANT pg_monitor TO that user"
)
_MAY_SEE: Final = "SELECT pg_has_role('pg_read_all_stats', 'USAGE')"
_FLUSHED_HERE: Final = "SELECT pg_current_wal_flush_lsn()::text"
_HOLDS: Final = """
SELECT current_setting('synchronous_standby_names') <> ''
  AND current_setting('synchronous_commit') NOT IN ('off', 'local'),
  EXISTS (SELECT FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum') AND flush_lsn >= $1::pg_lsn)
"""


def may_see(connection: Connection) -> bool:
    """Whether the user of the connection is told what standbys have flushed. Raises psycopg.Error."""
    return connection.execute(_MAY_SEE).fetchone() == (True,)


def holds_what_is_committed(connection: Connection) -> bool:
    """Whether a synchronous standby has flushed all that is committed here by now. Raises psycopg.Error."""
    (flushed,) = connection.execute(_FLUSHED_HERE).fetchone() or ("",)
    ends = monotonic() + FLUSHED_WITHIN_S
    while True:
        found = connection.execute(_HOLDS, [flushed]).fetchone()
        if found != (True, False) or monotonic() > ends:
            return found == (True, True)
        sleep(_LOOK_EVERY_S)

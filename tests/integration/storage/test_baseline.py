"""The baseline makes what fifteen migrations made before it: `tests/schema_15` keeps that, as either engine told it."""

from contextlib import closing

import apsw
import psycopg
import pytest

from acmx.storage.engines import postgres_schema
from acmx.storage.engines.postgres_offline import connected
from acmx.storage.migrations import Migration, load
from support.systems import engines, schema_parts

BASELINE = load()[0]


@pytest.mark.sqlite
def test_the_file_is_what_it_was() -> None:
    found = []
    for script in ((schema_parts.KEPT / "sqlite.sql").read_text(), BASELINE.script):
        with closing(apsw.Connection(":memory:")) as connection:
            connection.execute(script)
            head = connection.execute("SELECT * FROM journal_head").fetchall()
            found.append((schema_parts.of_file(connection), head))
    assert BASELINE.number == 15
    assert found[0] == found[1]


@pytest.mark.postgres
def test_the_database_is_what_it_was() -> None:
    url = engines.make()
    with connected(url) as connection:
        postgres_schema.migrate(connection, [BASELINE])
    with psycopg.connect(url) as connection:
        assert (
            schema_parts.of_postgres(connection)
            == (schema_parts.KEPT / "postgres.txt").read_text().splitlines()
        )
        assert connection.execute("SELECT * FROM journal_head").fetchall() == [(0, 0, b"")]
    engines.drop(url)


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("remind_at BIGINT,\n  ended_at BIGINT", "ended_at BIGINT,\n  remind_at BIGINT"),
        ("attempts BIGINT NOT NULL DEFAULT 0", "attempts BIGINT NOT NULL"),
        ("WHERE gave_up_at IS NULL", ""),
    ],
    ids=["order", "default", "index"],
)
def test_a_difference_is_seen(word: str, other: str) -> None:
    changed = Migration(15, BASELINE.script.replace(word, other, 1))
    parts = []
    for migration in (BASELINE, changed):
        with closing(apsw.Connection(":memory:")) as connection:
            connection.execute(migration.script)
            parts.append(schema_parts.of_file(connection))
    assert parts[0] != parts[1]

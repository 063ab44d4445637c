"""Reviews that were decided before people were counted are known again after the migration."""

from pathlib import Path

import apsw
import pytest

from acmx.storage import sqlite_connection
from acmx.storage.migrations import load

pytestmark = pytest.mark.sqlite

BEFORE = next(m.number for m in load() if "CREATE TABLE review " in m.script) - 1


@pytest.mark.law(4)
def test_who_decided_before_the_migration_is_among_the_reviewers(tmp_path: Path) -> None:
    path = tmp_path / "acmx.db"
    sqlite_connection.create(path)
    connection = sqlite_connection.connect(path)
    sqlite_connection.migrate(connection, load()[:BEFORE])
    connection.execute(
        "INSERT INTO exchange (role, primary_system, id, partner, state, version, asker, urgency, purpose, user_count, "
        "sent_n, received_n, created_at, review_digest, reason, catalogue) VALUES ('partner', 'a.example', 'x', "
        "'a.example', 'decided', 2, 'sip:asker@a.example', 'normal', '', 1, 1, 1, 5, 'd1', 'as agreed', 3)"
    )
    connection.execute(
        "INSERT INTO journal (at, event, actor, primary_system, id, detail) "
        "VALUES (7, 'reviewed', 'sip:r@b.example', 'a.example', 'x', '{}')"
    )
    sqlite_connection.migrate(connection, load())
    found = connection.execute("SELECT person, asker, at, digest, catalogue, reason FROM review").fetchall()
    assert found == [("sip:r@b.example", "sip:asker@a.example", 7, "d1", 3, "as agreed")]
    with pytest.raises(apsw.SQLError):
        connection.execute("SELECT review_digest FROM exchange")
    connection.close()

"""docs/security.md names a test for each defence; each of them exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text()
ROW = re.compile(r"^\| (?!threat|---)[^|]+\|[^|]+\|([^|]+)\|$", re.MULTILINE)


def test_every_named_test_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    sources = (path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    there = {
        name
        for source in sources
        for name in re.findall(r"^\s*(?:async )?def (test_\w+)", source, re.MULTILINE)
    }
    assert len(named) > 50
    assert named - there == set()


def test_every_threat_names_a_test() -> None:
    rows = ROW.findall(PAGE)
    assert len(rows) > 30
    assert all("`test_" in tests for tests in rows)

"""Every link of the documentation leads somewhere, and so does every page and heading that the code cites."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docs.generate import links
from docs.generate.page import openapi_files

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(path for name in ("docs", "examples", "bench", "deploy") for path in (ROOT / name).rglob("*.md")),
]
CODE = sorted(path for name in ("src", "tests", "docs") for path in (ROOT / name).rglob("*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_of_a_page_is_dead(page: Path) -> None:
    assert links.dead(page.read_text(encoding="utf-8"), page) == set()


def test_every_page_and_heading_that_the_code_cites_is_there() -> None:
    citations = {
        path: links.cited(path.read_text(encoding="utf-8")) for path in CODE if path != Path(__file__)
    }
    dead = {path: missing for path, cited in citations.items() if (missing := links.missing(cited))}
    assert dead == {}


def test_the_product_cites_no_page_outside_the_repository() -> None:
    pages = {
        page
        for path in CODE
        if ROOT / "src" in path.parents
        for page in re.findall(r"[\w./-]+\.md\b", path.read_text())
    }
    assert {page for page in pages if not (ROOT / page).exists()} == set()


def test_a_description_cites_pages_and_headings_not_numbers() -> None:
    for text in openapi_files().values():
        for described in descriptions(json.loads(text)):
            assert not re.search(r"\((?:section )?\d(?:\.\d+)?\)|\bsee \d|\bsections? \d", described), (
                described
            )


def descriptions(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (said for name, said in node.items() if name == "description" and isinstance(said, str))
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from descriptions(part)


def test_a_dead_link_is_found_and_a_heading_said_twice_has_two_anchors(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n\n## `Two` words, twice\n\n## Two words twice\n\n```text\n## Three\n```\n")
    assert links.headings(page) == {
        "one": "One",
        "two-words-twice": "`Two` words, twice",
        "two-words-twice-1": "Two words twice",
    }
    text = "[a](#one) [b](page.md#two-words-twice-1) [c](#three) [d](other.md) [e](https://example.org/)"
    assert links.dead(text, page) == {"#three", "other.md"}
    assert links.missing({"docs/README.md", "docs/README.md#documentation", "docs/README.md#gone"}) == {
        "docs/README.md#gone"
    }

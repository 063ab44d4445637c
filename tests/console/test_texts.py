"""All words of the console stand in the catalogue of texts, and each of them is used."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from acmx.faces import console
from acmx.faces.console.texts import ENGLISH

HOUSE = Path(console.__file__).parent
TEMPLATES = sorted((HOUSE / "templates").glob("*.html"))
SPOKEN = {"alt", "title", "placeholder", "aria-label", "label", "content", "value"}
_CODE = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
_ATTRIBUTE = re.compile(r'[a-z-]+="[^"]*"')
"""Outside of a tag only where a macro makes the attributes of one."""
_WORD = re.compile(r"[^\W\d_]{2,}")


class Words(HTMLParser):
    """The words of a template that a person would read."""

    def __init__(self, template: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(_CODE.sub(" ", template))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.found += [v for name, v in attrs if name in SPOKEN and v and _WORD.search(v)]

    def handle_data(self, data: str) -> None:
        if _WORD.search(_ATTRIBUTE.sub("", data)):
            self.found.append(data.strip())


def used() -> tuple[set[str], set[str]]:
    """Keys that are named whole, and the tables of which any text may be."""
    sources = [path.read_text() for path in (*TEMPLATES, *HOUSE.glob("*.py"))]
    keys = {
        key
        for source in sources
        for key in re.findall(r'"([a-z_]+\.(?!html"|css"|js"|svg")[a-z_-]+)"', source)
    }
    tables = {table for source in sources for table in re.findall(r'"([a-z_]+)\." ~', source)}
    return keys, tables


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_words_of_its_own(template):
    assert Words(template.read_text()).found == []


def test_words_in_a_template_would_be_found():
    assert Words('<p>Hello {{ name }}</p><input placeholder="Search"><b>{{ t("a.b") }} 2</b>').found == [
        "Hello",
        "Search",
    ]


def test_every_text_that_is_asked_for_is_there():
    keys, _ = used()
    asked = {key for key in keys if key.partition(".")[0] in ENGLISH.tables}
    assert [key for key in sorted(asked) if not ENGLISH.has(key)] == []
    named = {
        key
        for template in TEMPLATES
        for key in re.findall(r'(?<![\w.])t\(\s*"([^"]+)"\s*[,)]', template.read_text())
    }
    assert named
    assert [key for key in sorted(named) if not ENGLISH.has(key)] == []


def test_every_text_is_used():
    keys, tables = used()
    unused = [
        f"{table}.{name}"
        for table, texts in ENGLISH.tables.items()
        for name in texts
        if table not in tables and f"{table}.{name}" not in keys
    ]
    assert unused == []

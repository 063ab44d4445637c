"""All words of the console stand in the catalogue of texts, and each of them is used."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from acmx.faces import console
from acmx.faces.console.texts import ENGLISH

HOUSE = Path(console.__file__).parent
TEMPLATES = sorted((HOUSE / "templates").glob("*.html"))
SPOKEN = {"alt", "title", "placeholder", "aria-label", "label"}
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


def used() -> tuple[set[str], tuple[str, ...]]:
    """Keys that are named whole, and the beginnings to which something is added."""
    sources = [path.read_text() for path in (*TEMPLATES, *HOUSE.glob("*.py"))]
    begun = {key for source in sources for key in re.findall(r'"([a-z_]+\.[a-z_]*)" ~', source)}
    named = {key for source in sources for key in re.findall(r'"([a-z_]+\.[a-z_-]+)"(?! ~)', source)}
    return named, tuple(begun)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_words_of_its_own(template):
    assert Words(template.read_text()).found == []


def test_words_in_a_template_would_be_found():
    assert Words('<p>Hello {{ name }}</p><input placeholder="Search"><b>{{ t("a.b") }} 2</b>').found == [
        "Hello",
        "Search",
    ]


def test_every_text_that_is_asked_for_is_there():
    asked = {
        key for path in TEMPLATES for key in re.findall(r'(?<![\w.])t\(\s*"([^"]+)"\s*[,)]', path.read_text())
    }
    assert asked
    assert [key for key in sorted(asked) if not ENGLISH.has(key)] == []


def test_every_text_is_used():
    named, begun = used()
    every = [f"{table}.{name}" for table, texts in ENGLISH.tables.items() for name in texts]
    assert [key for key in every if key not in named and not key.startswith(begun)] == []

"""Headings of the pages, and what refers to them: links in Markdown; in code, the path from docs/ on and the anchor."""

import os
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CITED = re.compile(r"docs/[\w/-]+\.md(?:#[\w-]+)?")
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def cited(text: str) -> set[str]:
    """Return the pages and headings of docs/ that a text cites."""
    return set(_CITED.findall(text))


def linked(text: str, page: Path) -> str:
    """Return the text of a page with each citation as a link to the heading, in the heading's words."""
    return _CITED.sub(lambda found: _link(found[0], page), text)


def dead(text: str, page: Path) -> set[str]:
    """Return the links of a page to a file or heading that is not there; addresses of the web are not asked."""
    prose = _FENCED.sub("", text)
    links = {link for link in _LINK.findall(prose) if not re.match(r"https?://|mailto:", link)}
    return {link for link in links if not _there(page.parent / link if link[0] != "#" else f"{page}{link}")}


def missing(citations: set[str]) -> set[str]:
    """Return the citations of a page or heading that is not there."""
    return {citation for citation in citations if not _there(ROOT / citation)}


def _link(citation: str, page: Path) -> str:
    """Raises KeyError where the page has no such heading."""
    target, _, anchor = citation.partition("#")
    words = headings(ROOT / target)[anchor] if anchor else next(iter(headings(ROOT / target).values()))
    place = os.path.relpath(ROOT / target, page.parent) if ROOT / target != page else ""
    return f"[{words}]({place}{'#' if anchor else ''}{anchor})"


def _there(place: Path | str) -> bool:
    target, _, anchor = str(place).partition("#")
    path = Path(os.path.normpath(target))
    return path.exists() and (not anchor or anchor in headings(path))


@cache
def headings(page: Path) -> dict[str, str]:
    """Return the headings of a page by their anchors, as GitHub makes them."""
    found: dict[str, str] = {}
    for words in _HEADING.findall(_FENCED.sub("", page.read_text(encoding="utf-8"))):
        anchor = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        again = sum(a == anchor or re.fullmatch(rf"{re.escape(anchor)}-\d+", a) is not None for a in found)
        found[f"{anchor}-{again}" if again else anchor] = words
    return found

"""Templates to HTML. Everything that is not a template is escaped."""

from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from acmx.domain.plain import plain
from acmx.faces.console import said, static_files
from acmx.faces.console.texts import ENGLISH


def render(template: str, **given: Any) -> str:
    return _environment.get_template(template).render(given)


def moment(at: datetime | None) -> Markup:
    """A point in time: UTC here, in the reader's zone once the script has run."""
    if at is None:
        return Markup()
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{:%Y-%m-%dT%H:%M:%SZ}">{:%Y-%m-%d %H:%M} UTC</time>').format(utc, utc)


def spaced(word: str) -> str:
    """A name of the protocol as people read it."""
    return word.replace("_", " ").replace("-", " ")


def count(number: int) -> str:
    return f"{number:,}"


def _make() -> Environment:
    environment = Environment(
        loader=PackageLoader("acmx.faces.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )
    environment.globals.update(t=ENGLISH, language=ENGLISH.language, static=static_files.address)
    environment.filters.update(moment=moment, spaced=spaced, count=count)
    environment.filters.update(detail=said.detail_of, members=said.members_of, faults=said.faults_of)
    return environment


_environment = _make()

"""`acmx identities`: the server identity information of this MC system."""

import tomllib
from typing import Annotated, Any

import tomli_w
from cyclopts import Parameter
from cyclopts.types import ExistingFile

from acmx.cli.options import DEFAULTS, Options
from acmx.cli.terminal import cell, facts, out, time
from acmx.domain import documents
from acmx.domain.acm1 import Identities, NewIdentities
from acmx.domain.errors import Fault, FaultyInput


def show(
    *,
    version: Annotated[int | None, Parameter(help="An earlier version; default: the current one.")] = None,
    options: Options = DEFAULTS,
) -> None:
    """Show the server identity information, in the form in which it is entered.

    For example:

        acmx identities show
    """
    with options.client() as client:
        identities = client.identities(version)

    def draw() -> None:
        _draw_version(identities)
        out().print(cell(tomli_w.dumps(identities.server_identity)), soft_wrap=True)

    options.show(identities, draw)


def enter(
    file: Annotated[ExistingFile, Parameter(help="TOML or JSON.")],
    /,
    *,
    incomplete: Annotated[
        bool, Parameter(help="Enter it though required rows are missing; partners see that.")
    ] = False,
    options: Options = DEFAULTS,
) -> None:
    """Enter a new version of the server identity information.

    For example:

        acmx identities set county-fire.toml
    """
    document = _read(file.read_bytes(), file.name)
    with options.client() as client:
        identities = client.set_identities(NewIdentities(document, incomplete))
    options.show(identities, lambda: _draw_version(identities))


def _read(content: bytes, name: str) -> dict[str, Any]:
    if content.lstrip()[:1] == b"{":
        return documents.parse(content)
    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FaultyInput([Fault(name, "", f"is neither JSON nor TOML: {error}")]) from None


def _draw_version(identities: Identities) -> None:
    entered = f"{time(identities.entered_at)} by {identities.entered_by}" if identities.entered_at else ""
    missing = ", ".join(identities.missing) or (
        "nothing" if identities.version else "everything: none was entered"
    )
    out().print(facts({"version": identities.version, "entered": entered, "missing": missing}))

"""`acmx identities`: the server identity information of this MC system."""

from pathlib import Path
from typing import Annotated

import tomli_w
from cyclopts import Parameter
from cyclopts.types import ExistingFile

from acmx.cli.documents import read
from acmx.cli.failures import note
from acmx.cli.files import write
from acmx.cli.options import DEFAULTS, Options
from acmx.cli.terminal import cell, facts, out, remarks, table, time
from acmx.domain.acm1 import Identities, NewIdentities
from acmx.provisioning import existing
from acmx.provisioning.xml import parse


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
        out().print(remarks(_version(identities)), soft_wrap=True)
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
    document = read(file.read_bytes(), file.name)
    with options.client() as client:
        identities = client.set_identities(NewIdentities(document, incomplete))
    options.show(identities, lambda: out().print(facts(_version(identities))))


def take_over(
    file: Annotated[ExistingFile, Parameter(help="An MCS UE initial configuration document.")],
    /,
    *,
    out_: Annotated[
        Path | None, Parameter(name=["--out", "-o"], help="Write it as TOML, to be edited; enter nothing.")
    ] = None,
    options: Options = DEFAULTS,
) -> None:
    """Enter the server identity information that an existing UE initial configuration document holds.

    For example:

        acmx identities import ue-init-config.xml -o ours.toml
    """
    found = existing.server_identity(parse(file.read_bytes()))
    if out_ is not None:
        write(out_, tomli_w.dumps(found).encode())
        note(f"{out_} written: look at it, then acmx identities set {out_}")
        return
    with options.client() as client:
        identities = client.set_identities(NewIdentities(found))
    options.show(identities, lambda: out().print(facts(_version(identities))))


def holders(*, options: Options = DEFAULTS) -> None:
    """List which partner holds which version, by the approvals that hold.

    For example:

        acmx identities holders
    """
    with options.client() as client:
        found = client.identity_holders()

    def draw() -> None:
        rows = table("partner", "version", "exchanges")
        for holder in found.items:
            rows.add_row(cell(holder.partner), cell(holder.version), cell(f"{holder.exchanges:,}"))
        out().print(rows)

    options.show(found, draw)


def _version(identities: Identities) -> dict[str, object]:
    entered = f"{time(identities.entered_at)} by {identities.entered_by}" if identities.entered_at else ""
    missing = ", ".join(identities.missing) or (
        "nothing" if identities.version else "everything: none was entered"
    )
    return {"version": identities.version, "entered": entered, "missing": missing}

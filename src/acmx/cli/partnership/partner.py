"""`acmx partner`: the MC systems that this one exchanges configuration with."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.types import ExistingFile

from acmx.cli import findings
from acmx.cli.failures import DONE, FAILED, WrongUsageError, note
from acmx.cli.files import write
from acmx.cli.options import DEFAULTS, Options
from acmx.cli.partnership.partner_facts import Id, show_partner
from acmx.cli.terminal import ask, busy, cell, is_interactive, out, table, time
from acmx.client import Client
from acmx.domain import documents
from acmx.domain.acm1 import Partner
from acmx.domain.partnership import Metadata, PartnerFile


def export(file: Path, /, *, options: Options = DEFAULTS) -> None:
    """Write the file that a partner needs to know this MC system, to be handed over by mail or by hand.

    For example:

        acmx partner export mc.fire.example.json
    """
    from acmx.trust.keys import spoken  # noqa: PLC0415

    with options.client() as client:
        ours = client.partner_file()
    write(file, msgspec.json.encode(ours), public=True)

    def draw() -> None:
        print(f"{file} is written. The partner must hear this over another way, and compare it:")
        for key in msgspec.json.decode(ours.metadata, type=Metadata).keys:
            print(f"  {spoken(key.kid)}")

    options.show(ours, draw)


def add(file: ExistingFile, /, *, options: Options = DEFAULTS) -> None:
    """Take in the file of a partner. Nothing is exchanged until both sides have accepted.

    For example:

        acmx partner add mc.police.example.json
    """
    with options.client() as client:
        partner = client.add_partner(documents.read(file.read_bytes(), PartnerFile))
    show_partner(partner, options)


def suspend(
    id_: Id,
    /,
    *,
    reason: Annotated[str | None, Parameter(help="Why; the partner sees it.")] = None,
    options: Options = DEFAULTS,
) -> None:
    """Stop the exchange with a partner for the time being, at once and in both directions. The partner is told.

    For example:

        acmx partner suspend mc.police.example --reason "Maintenance until Monday"
    """
    with options.client() as client:
        show_partner(client.suspend_partner(id_, reason), options)


def resume(id_: Id, /, *, options: Options = DEFAULTS) -> None:
    """Take the exchange with a suspended partner up again.

    For example:

        acmx partner resume mc.police.example
    """
    _act(Client.resume_partner, id_, options)


def remove(
    id_: Id,
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; the partner sees it.")],
    yes: Annotated[bool, Parameter(help="Do not ask.")] = False,
    options: Options = DEFAULTS,
) -> int:
    """End a partnership. The partner is told; its exchanges, their journal and its keys stay as evidence.

    For example:

        acmx partner remove mc.police.example --reason "The agreement has ended"
    """
    if not yes and not is_interactive():
        raise WrongUsageError("Nobody is here to be asked: use --yes.")
    note(f"{id_} is told. Nothing is sent to it or taken from it any more, and its connections end.")
    note("What is open with it stays to be seen, and ends when it expires. Everything stays on record.")
    if not yes and not ask(f"Remove {id_}?"):
        note("Nothing was removed.")
        return FAILED
    with options.client() as client:
        show_partner(client.remove_partner(id_, reason), options)
    return DONE


def compare(id_: Id, /, *, options: Options = DEFAULTS) -> None:
    """Compare with a partner what both hold of their common exchanges, for instance after a restore.

    For example:

        acmx partner compare mc.police.example
    """
    _act(Client.compare_partner, id_, options)


def show(id_: Id, /, *, options: Options = DEFAULTS) -> None:
    """Show what is pinned of a partner, where the partnership stands, and how the link is doing.

    For example:

        acmx partner show mc.police.example
    """
    _act(Client.partner, id_, options)


def check(id_: Id, /, *, options: Options = DEFAULTS) -> int:
    """Walk the way to a partner step by step, and say in plain words what is well and what is not.

    Ends with status 1 if something failed. For example:

        acmx partner check mc.police.example
    """
    with options.client() as client, busy("Checking"):
        found = client.check_partner(id_)
    options.show(found, lambda: findings.draw(found))
    return findings.status(found)


def list_all(*, options: Options = DEFAULTS) -> None:
    """List the partners.

    For example:

        acmx partner list
    """
    with options.client() as client:
        partners = client.partners()
    listed = table("partner", "state", "waiting", "last success", "last error")
    for partner in partners.items:
        listed.add_row(
            cell(f"{partner.id}\n{partner.name}"),
            cell(partner.state),
            cell(partner.waiting),
            cell(time(partner.last_success_at)),
            cell(partner.last_error or "", "red"),
        )
    options.show(partners, lambda: out().print(listed))


def _act(act: Callable[[Client, str], Partner], id_: str, options: Options) -> None:
    with options.client() as client:
        show_partner(act(client, id_), options)

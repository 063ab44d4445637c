"""`acmx partner`: the MC systems that this one exchanges configuration with."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.types import ExistingFile

from acmx.cli import findings
from acmx.cli.failures import note
from acmx.cli.files import write
from acmx.cli.options import DEFAULTS, Options
from acmx.cli.summaries import approvals_in_words
from acmx.cli.terminal import busy, cell, facts, out, table, time
from acmx.client import Client
from acmx.domain import documents
from acmx.domain.acm1 import Partner
from acmx.domain.partnership import Metadata, PartnerFile

Id = Annotated[str, Parameter(name="ID", help="The partner's MC system ID.")]


def export(file: Path, /, *, options: Options = DEFAULTS) -> None:
    """Write the file that a partner needs to know this MC system, to be handed over by mail or by hand.

    For example:

        acmx partner export mc.fire.example.json
    """
    from acmx.trust.keys import spoken  # noqa: PLC0415

    with options.client() as client:
        ours = client.partner_file()
    write(file, msgspec.json.encode(ours))

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
    _show(partner, options)
    note(f"Compare its keys with what the partner says, then: acmx partner accept {partner.id}")


def accept(id_: Id, /, *, options: Options = DEFAULTS) -> None:
    """Accept a partner whose keys have been compared.

    For example:

        acmx partner accept mc.police.example
    """
    _act(Client.accept_partner, id_, options)


def suspend(id_: Id, /, *, options: Options = DEFAULTS) -> None:
    """Stop the exchange with a partner for the time being.

    For example:

        acmx partner suspend mc.police.example
    """
    _act(Client.suspend_partner, id_, options)


def resume(id_: Id, /, *, options: Options = DEFAULTS) -> None:
    """Take the exchange with a suspended partner up again.

    For example:

        acmx partner resume mc.police.example
    """
    _act(Client.resume_partner, id_, options)


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
        _show(act(client, id_), options)


def _show(partner: Partner, options: Options) -> None:
    shown = facts(
        {
            "partner": f"{partner.id} ({partner.name})",
            "state": f"{partner.state} (here: {partner.state_here}, there: {partner.state_there})",
            "address": partner.address,
            "contact": partner.contact,
            "keys": "\n".join(partner.spoken),
            "users' SIP hosts": ", ".join(partner.hosts),
            "phone contexts": ", ".join(partner.phone_contexts),
            "telephone prefixes": ", ".join(partner.tel_prefixes),
            "exchanges": ", ".join(partner.kinds),
            "approvals": approvals_in_words(partner),
            "messages waiting": partner.waiting,
            "last success": time(partner.last_success_at),
            "last error": partner.last_error,
            "next attempt": time(partner.next_attempt_at),
            "last comparison": time(partner.compared_at),
            "wrong in it": partner.comparison_error,
            "comparison due": partner.comparison_due,
            "changes": f"see: acmx partner changes {partner.id}" if partner.change_waits else None,
        }
    )
    options.show(partner, lambda: out().print(shown))

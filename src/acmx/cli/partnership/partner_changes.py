"""`acmx partner changes`, `acmx partner confirm`: what a partner has changed of itself, for a person to take."""

from typing import Annotated

from cyclopts import Parameter

from acmx.cli.failures import note
from acmx.cli.options import DEFAULTS, Options
from acmx.cli.partnership.partner_facts import Id
from acmx.cli.terminal import cell, out, table
from acmx.domain.acm1 import PartnerChange


def changes(id_: Id, /, *, options: Options = DEFAULTS) -> None:
    """Show what a partner has changed of its address, certificates or users' realms, and waits for a person.

    For example:

        acmx partner changes mc.police.example
    """
    with options.client() as client:
        found = client.partner_change(id_)
    options.show(found, lambda: _draw(found))


def confirm(
    id_: Id,
    /,
    *,
    seen: Annotated[str, Parameter(help="What was shown, as `acmx partner changes` names it.")],
    options: Options = DEFAULTS,
) -> None:
    """Take what a partner has changed, after the partner has confirmed it by another way, such as the telephone.

    For example:

        acmx partner confirm mc.police.example --seen SEEN
    """
    with options.client() as client:
        partner = client.confirm_change(id_, seen)
    options.show(partner, lambda: note(f"This is pinned of {partner.id} now."))


def _draw(found: PartnerChange) -> None:
    if found.fault:
        note(f"What came last was not taken: {found.fault}")
    if found.seen is None:
        note(f"Nothing of {found.partner} waits for confirmation.")
        return
    listed = table("field", "pinned", "new")
    for field in found.fields:
        listed.add_row(cell(field.field), cell("\n".join(field.old)), cell("\n".join(field.new)))
    out().print(listed)
    note(f"Ask the partner by another way, then: acmx partner confirm {found.partner} --seen {found.seen}")

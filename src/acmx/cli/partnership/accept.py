"""`acmx partner accept`: two people compare keys over the telephone, and one of them accepts."""

from typing import Annotated

import msgspec
from cyclopts import Parameter

from acmx.cli.failures import DONE, FAILED, WrongUsageError, note
from acmx.cli.options import DEFAULTS, Options
from acmx.cli.partnership.partner_facts import Id, limits, lines_of, pinned_rows, show_partner
from acmx.cli.partnership.terms import NO_KIND, listed
from acmx.cli.terminal import answer, err, facts, is_interactive
from acmx.domain.acm1 import Acceptance, Partner
from acmx.domain.partnership import Metadata

TRIES = 3
HIDDEN = "?????"


def accept(
    id_: Id,
    /,
    *,
    thumbprint: Annotated[
        list[str] | None,
        Parameter(
            help="For scripts: a key as the partner said it, as digits or as it is; once for each key."
        ),
    ] = None,
    kinds: Annotated[
        list[str] | None,
        Parameter(
            help="What is exchanged with it; `none` for nothing yet. Default: what the terms list; if nothing, "
            "every kind that both systems know.",
            consume_multiple=True,
        ),
    ] = None,
    options: Options = DEFAULTS,
) -> int:
    """Compare the keys of a partner over the telephone, and accept it.

    Their last group of digits is not shown: it has to be heard. For example:

        acmx partner accept mc.police.example
    """
    if not thumbprint and not is_interactive():
        raise WrongUsageError("Nobody is here to compare: use --thumbprint with what the partner said.")
    with options.client() as client:
        partner = client.partner(id_)
        ours = msgspec.json.decode(client.partner_file().metadata, type=Metadata)
        agreed = listed(kinds, NO_KIND)
        if agreed is None:
            agreed = _usual(partner, ours)
        compared = Acceptance(tuple(thumbprint or ()), agreed)
        if not thumbprint:
            _tell(partner, ours, agreed)
            if not all(map(_heard, partner.spoken)):
                note("Nothing was accepted.")
                return FAILED
            compared = Acceptance(tuple(partner.thumbprints), agreed, partner.seen)
        accepted = client.accept_partner(id_, compared)
    show_partner(accepted, options)
    return DONE


def _usual(partner: Partner, ours: Metadata) -> tuple[str, ...]:
    """What is exchanged where nobody says: what the terms list, or else every kind that both systems know."""
    return partner.terms.kinds or tuple(kind.kind for kind in ours.kinds if kind.kind in partner.kinds)


def _tell(partner: Partner, ours: Metadata, agreed: tuple[str, ...]) -> None:
    from acmx.trust.keys import spoken  # noqa: PLC0415

    err().print(facts(pinned_rows(partner)))
    note("\nWhen both sides have accepted:")
    note(
        f"- exchanged with {partner.id}, asked there and here: {', '.join(agreed) or 'nothing'} (see --kinds)"
    )
    note("- they ask for users of the SIP hosts and telephone numbers above only, and for no others")
    note("- each of their requests is decided by our policy or our people; accepting gives nothing away")
    note(f"- taken from them: {limits(partner.terms)}")
    note("\nCall them, at a number that you do not have from this file.")
    note("Read our key to them:")
    for key in ours.keys:
        note(_indented(spoken(key.kid)))
    note("Let them read their key, and compare every group. The last one is not shown here:")


def _heard(spoken: str) -> bool:
    """Whether the last group of this key was heard."""
    shown, _, last = spoken.rpartition(" ")
    note(_indented(f"{shown} {HIDDEN}"))
    for _ in range(TRIES):
        typed = answer("The last group, as they read it:")
        if typed == last:
            return True
        if not typed:
            return False
        note("That is not the last group of this key. Let them read it again.")
    note(
        "If they read what their own system shows, this file is not theirs: do not accept it, and tell them."
    )
    return False


def _indented(spoken: str) -> str:
    return "\n".join(f"  {line}" for line in lines_of(spoken).splitlines())

"""A partner in words: what is pinned, how the partnership stands, and what comes next."""

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from acmx.cli.exchange.summaries import approvals_in_words
from acmx.cli.failures import note
from acmx.cli.options import Options
from acmx.cli.terminal import facts, out, people, time
from acmx.domain.acm1 import Partner, PinnedCertificate, Terms

Id = Annotated[str, Parameter(name="ID", help="The partner's MC system ID.")]
GROUPS_A_LINE = 6
_WHILE_HERE = {
    "removed": "Removed. To begin anew, take in its file again: acmx partner add FILE",
    "offered": "Next: compare the keys over the telephone: acmx partner accept {id}",
    "suspended": "Suspended here. To go on: acmx partner resume {id}",
}
_WHILE_THERE = {
    "removed": "They have removed this system: call them. To end it here too: acmx partner remove {id} --reason WHY",
    "suspended": "They have suspended the partnership. It goes on when they resume it; nothing is to be done here.",
    "offered": "Next: they accept this system. They need our file: acmx partner export FILE",
    "accepted": "Both have accepted. To see whether all is well: acmx partner check {id}",
}


def show_partner(partner: Partner, options: Options) -> None:
    options.show(partner, lambda: out().print(_facts(partner)))
    note(_next(partner))


def pinned_rows(partner: Partner) -> dict[str, object]:
    """What the file of the partner says, but for its keys, as facts."""
    return {
        "partner": f"{partner.id} ({partner.name})",
        "address": partner.address,
        "contact": partner.contact,
        "users' SIP hosts": ", ".join(partner.hosts),
        "phone contexts": ", ".join(partner.phone_contexts),
        "telephone prefixes": ", ".join(partner.tel_prefixes),
        "exchanges": ", ".join(partner.kinds),
        "certificates": "\n".join(map(_certificate, partner.certificates)),
    }


def lines_of(spoken: str) -> str:
    """The groups of a thumbprint, as many a line as are easily read out."""
    groups = spoken.split()
    lines = (groups[n : n + GROUPS_A_LINE] for n in range(0, len(groups), GROUPS_A_LINE))
    return "\n".join(" ".join(line) for line in lines)


def limits(terms: Terms) -> str:
    return f"{people(terms.max_users)} a request, {terms.max_open:,} requests open, {terms.max_per_hour:,} an hour"


def _facts(partner: Partner) -> Table:
    terms = partner.terms
    return facts(
        {
            "state": partner.state,
            "said here": _said(partner.state_here, partner.reason_here)
            + ("" if partner.told else ", not told yet"),
            "said there": _said(partner.state_there, partner.reason_there),
        }
        | pinned_rows(partner)
        | {
            "keys": "\n".join(map(lines_of, partner.spoken)),
            "kinds, by our terms": ", ".join(terms.kinds) or "none: nothing is exchanged",
            "may be asked by": ", ".join(terms.askers) or "whoever may ask",
            "taken from it": limits(terms),
            "own CMS": "follows it by itself" if terms.reprovision else None,
            "note": terms.note,
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


def _said(state: str, reason: str | None) -> str:
    return f"{state}: {reason}" if reason else state


def _certificate(pinned: PinnedCertificate) -> str:
    ends, digits = pinned.ends_at, pinned.fingerprint
    days = (ends - datetime.now(UTC)).days
    until = f"until {ends:%Y-%m-%d}, {days:,} days" if days >= 0 else f"ended on {ends:%Y-%m-%d}"
    return f"{until}, SHA-256\n{digits[:32]}\n{digits[32:]}"


def _next(partner: Partner) -> str:
    words = _WHILE_HERE.get(partner.state_here) or _WHILE_THERE.get(partner.state_there, "")
    return words.format(id=partner.id)

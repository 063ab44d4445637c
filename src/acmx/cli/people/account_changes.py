"""`acmx account`: what waits for a second operator, and whom an OpenID provider vouches for."""

from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.types import ExistingDirectory

from acmx.cli.failures import note
from acmx.cli.options import DEFAULTS, Json, Options
from acmx.cli.people.account import waits
from acmx.cli.terminal import busy, cell, facts, out, print_json, table, time
from acmx.domain.acm1 import (
    AccountApprovals,
    AccountApprovalsSet,
    VouchedPeople,
    WaitingChange,
    WaitingChanges,
)

Id = Annotated[str, Parameter(name="ID", help="The change, as `acmx account changes` names it.")]


def changes(*, options: Options = DEFAULTS) -> None:
    """List what was asked for accounts and waits for a second operator.

    For example:

        acmx account changes
    """
    with options.client() as client:
        waiting = list(client.all_account_changes())
    listed = table("asked", "what")
    for change in waiting:
        listed.add_row(cell(time(change.asked_at)), cell(f"{change.id}\n{_in_words(change)}"))
    options.show(WaitingChanges(waiting), lambda: out().print(listed))


def approve(id_: Id, /, *, options: Options = DEFAULTS) -> None:
    """Approve what another operator asked for an account: it holds at once.

    For example:

        acmx account approve ID
    """
    with options.client() as client:
        change = client.approve_account_change(id_)
    options.show(change, lambda: out().print(cell(_in_words(change))))


def refuse(
    id_: Id,
    /,
    *,
    reason: Annotated[str | None, Parameter(help="Why; written down.")] = None,
    options: Options = DEFAULTS,
) -> None:
    """Refuse what was asked for an account, or take back what you have asked yourself.

    For example:

        acmx account refuse ID --reason "she has left"
    """
    with options.client() as client:
        change = client.refuse_account_change(id_, reason)
    options.show(change, lambda: out().print(cell(_in_words(change))))


def approvals(
    *,
    needed: Annotated[
        Literal[1, 2] | None, Parameter(help="How many operators it takes to give somebody a role.")
    ] = None,
    options: Options = DEFAULTS,
) -> int:
    """Show or set how many operators it takes to give somebody a role: one, or another one who approves.

    That one is enough again is for another operator to approve. For example:

        acmx account approvals --needed 2
    """
    with options.client() as client:
        found = (
            client.account_approvals()
            if needed is None
            else client.set_account_approvals(AccountApprovals(needed))
        )
    options.show(found, lambda: _draw(found))
    return waits(found.waiting if needed else None)


def recover(directory: ExistingDirectory, /, *, json: Json = False) -> None:
    """Let one operator give roles again, where the other is not to be had. Stop the server first.

    For example:

        acmx account recover /var/lib/acmx
    """
    from acmx.bootstrap.recover import recover as let_one  # noqa: PLC0415

    with busy("Recovering"):
        let_one(directory)
    if json:
        print_json({"directory": str(directory), "needed": 1})
    else:
        note("One operator is enough to give somebody a role.")


def vouched(*, options: Options = DEFAULTS) -> None:
    """List the people whom an OpenID provider vouches for and who have logged on, with their MC service IDs.

    For example:

        acmx account vouched
    """
    with options.client() as client:
        people = list(client.all_vouched())
    listed = table("account", "MC service ID", "roles", "provider")
    for person in people:
        listed.add_row(
            cell(person.account, "bold"),
            cell(person.mc_service_id),
            cell(", ".join(person.roles)),
            cell("\n".join(filter(None, [person.issuer, person.waiting and f"waits ({person.waiting})"]))),
        )
    options.show(VouchedPeople(people), lambda: out().print(listed))


def free(
    mc_service_id: Annotated[
        str, Parameter(name="MC-SERVICE-ID", help="As `acmx account vouched` lists it.")
    ],
    /,
    *,
    options: Options = DEFAULTS,
) -> int:
    """Free the MC service ID of a subject of an OpenID provider, for the next who comes with it.

    For example:

        acmx account free sip:alice@mc.fire.example
    """
    with options.client() as client:
        person = client.free_mc_service_id(mc_service_id)
    shown = facts({"MC service ID": person.mc_service_id, "of": f"{person.account} of {person.issuer}"})
    options.show(person, lambda: out().print(shown))
    return waits(person.waiting)


def _in_words(change: WaitingChange) -> str:
    """What is asked, a fact a line."""
    told = {
        "asked by": f"{change.asked_by} ({change.asked_by_account})",
        "account": change.account,
        "MC service ID": change.mc_service_id,
        "roles so far": ", ".join(change.roles_before),
        "roles": ", ".join(change.roles),
        "mail": change.mail,
        "functional aliases": ", ".join(change.functional_aliases),
        "a service account": "yes" if change.automatic else "",
        "operators needed": change.needed,
    }
    return "\n".join([change.what, *(f"{name}: {value}" for name, value in told.items() if value)])


def _draw(found: AccountApprovalsSet) -> None:
    told: dict[str, object] = {
        "operators needed": found.needed,
        "operators": found.operators,
        "waits": found.waiting,
    }
    out().print(facts(told))

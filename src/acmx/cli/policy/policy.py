"""`acmx policy`: what this MC system answers without a person."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import ExistingFile

from acmx.cli.options import DEFAULTS, Options
from acmx.cli.terminal import cell, facts, out, time
from acmx.domain.acm1 import Policy
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.kinds import FORMER

File = Annotated[ExistingFile, Parameter(help="A policy in Cedar.")]


def show(*, options: Options = DEFAULTS) -> None:
    """Show the policy that holds.

    For example:

        acmx policy show
    """
    with options.client() as client:
        policy = client.policy()

    def draw() -> None:
        _draw_rules(policy)
        out().print(cell(policy.text), soft_wrap=True)

    options.show(policy, draw)


def check(file: File, /, *, options: Options = DEFAULTS) -> None:
    """Check a policy without setting it.

    For example:

        acmx policy check ours.cedar
    """
    with options.client() as client:
        policy = client.check_policy(read(file))
    options.show(policy, lambda: _draw_rules(policy))


def replace(file: File, /, *, options: Options = DEFAULTS) -> None:
    """Set the policy. One that is not valid is refused, and the one that holds stays.

    For example:

        acmx policy set ours.cedar
    """
    with options.client() as client:
        policy = client.set_policy(read(file))
    options.show(policy, lambda: _draw_rules(policy))


def read(file: ExistingFile) -> str:
    """Raises FaultyInput."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FaultyInput([Fault(file.name, "", "must be UTF-8 text")]) from None


def _unnamed(policy: Policy) -> str:
    if not policy.unnamed:
        return ""
    rules = "\n".join(policy.unnamed)
    kinds = " and ".join(FORMER)
    return f'{rules}\nThey count for {kinds}. Write out the kind that each approves: resource == Kind::"..."'


def _draw_rules(policy: Policy) -> None:
    rules = "\n".join(policy.rules) or "none: every request waits for a person"
    entered = f"{time(policy.set_at)} by {policy.set_by}" if policy.set_at else ""
    rows = {
        "version": policy.version,
        "set": entered,
        "rules": rules,
        "unreadable": policy.unreadable,
        "name no kind": _unnamed(policy),
    }
    out().print(facts(rows))

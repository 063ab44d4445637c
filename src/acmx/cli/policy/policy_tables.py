"""What a policy may look at, and what each role may do; no server is asked."""

from acmx.cli.options import DEFAULTS, Options
from acmx.cli.terminal import cell, out, table
from acmx.kinds import policy_facts
from acmx.trust.roles import shown


def facts(*, options: Options = DEFAULTS) -> None:
    """List the facts that a policy may look at, as `context.NAME`.

    For example:

        acmx policy facts
    """

    known = policy_facts.every()

    def draw() -> None:
        rows = table("fact", "type", "meaning, and where it comes from", "example")
        for fact in known:
            type_ = f"{fact.type}, may be absent" if fact.optional else fact.type
            meaning = f"{fact.meaning}{f' ({fact.unit})' if fact.unit else ''}\n{fact.source}"
            meaning += f"\nonly of {', '.join(fact.kinds)}" if fact.kinds else ""
            texts = (fact.name, type_, meaning, fact.shown)
            rows.add_row(*(cell(text.replace("`", "")) for text in texts))
        out().print(rows)

    options.show(known, draw)


def roles(*, options: Options = DEFAULTS) -> None:
    """List the roles and what each may do. What is not listed is denied.

    For example:

        acmx policy roles
    """
    document = shown()

    def draw() -> None:
        rows = table("role", "may", "permission")
        for role in document.items:
            for number, permission in enumerate(role.may):
                rows.add_row(
                    cell("" if number else role.name), cell(permission.meaning), cell(permission.name)
                )
        out().print(rows)

    options.show(document, draw)

"""What a policy may look at, and what each role may do; no server is asked."""

from acmx.cli.options import DEFAULTS, Options
from acmx.cli.terminal import cell, out, table
from acmx.trust.policy_facts import FACTS
from acmx.trust.roles import shown


def facts(*, options: Options = DEFAULTS) -> None:
    """List the facts that a policy may look at, as `context.NAME`.

    For example:

        acmx policy facts
    """

    def draw() -> None:
        rows = table("fact", "type", "meaning, and where it comes from", "example")
        for fact in FACTS:
            type_ = f"{fact.type}, may be absent" if fact.optional else fact.type
            meaning = f"{fact.meaning}{f' ({fact.unit})' if fact.unit else ''}\n{fact.source}"
            texts = (fact.name, type_, meaning, fact.shown)
            rows.add_row(*(cell(text.replace("`", "")) for text in texts))
        out().print(rows)

    options.show(FACTS, draw)


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

"""`acmx template`: what is kept for the documents of a partner because its answers need not carry it."""

from typing import Annotated

import tomli_w
from cyclopts import Parameter
from cyclopts.types import ExistingFile

from acmx.cli.documents import read
from acmx.cli.options import DEFAULTS, Options
from acmx.cli.terminal import cell, facts, out, remarks, time
from acmx.domain.acm1 import NewTemplate, Template

Partner = Annotated[str, Parameter(name="PARTNER", help="The MC system ID of the partner.")]


def show(partner: Partner, /, *, options: Options = DEFAULTS) -> None:
    """Show the template for a partner, in the form in which it is entered; secrets are hidden.

    For example:

        acmx template show mc.county-fire.example
    """
    with options.client() as client:
        template = client.template(partner)

    def draw() -> None:
        out().print(remarks(_version(template)), soft_wrap=True)
        out().print(cell(tomli_w.dumps(template.template)), soft_wrap=True)

    options.show(template, draw)


def enter(
    partner: Partner,
    file: Annotated[ExistingFile, Parameter(help="TOML or JSON.")],
    /,
    *,
    options: Options = DEFAULTS,
) -> None:
    """Enter a new version of the template for a partner. A secret that reads … stays as it was.

    For example:

        acmx template set mc.county-fire.example examples/templates/county-fire.toml
    """
    document = read(file.read_bytes(), file.name)
    with options.client() as client:
        template = client.set_template(partner, NewTemplate(document))
    options.show(template, lambda: out().print(facts(_version(template))))


def _version(template: Template) -> dict[str, object]:
    entered = f"{time(template.entered_at)} by {template.entered_by}" if template.entered_at else ""
    version = template.version or "none was entered: the defaults"
    return {"partner": template.partner, "version": version, "entered": entered}

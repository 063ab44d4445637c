"""`acmx evidence`: what proves an exchange, for somebody else to verify; and `acmx purge`."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.types import ExistingFile

from acmx.cli import findings
from acmx.cli.evidence.audit import Output, Thumbprints
from acmx.cli.files import require_new, write
from acmx.cli.options import DEFAULTS, Id, Json, Options
from acmx.cli.terminal import print_json, time
from acmx.domain.acm1 import Findings


def take(id_: Id, /, *, output: Output = None, options: Options = DEFAULTS) -> None:
    """Write everything that proves an exchange into one file: messages, receipts, keys, rows of the journal.

    Anybody can verify it without a server: acmx evidence verify FILE. For example:

        acmx evidence 01a2076b-4400-7000-8000-000000000008 -o evidence.json
    """
    require_new(output)
    with options.client() as client:
        file = client.evidence(id_)
    body = msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"
    if output is None:
        print_json(file, indent=1)
        return
    write(output, body)
    options.show(file, lambda: print(f"{output} holds the evidence. Next: acmx evidence verify {output}"))


def verify(file: ExistingFile, /, *, thumbprint: Thumbprints = None, json: Json = False) -> int:
    """Say what the evidence in a file proves, and by whose signature; no server is asked.

    Ends with status 1 if something does not hold. For example:

        acmx evidence verify evidence.json
    """
    from acmx.trust.evidence_check import check  # noqa: PLC0415

    found = Findings(check(Path(file).read_bytes(), thumbprint or ()))
    if json:
        print_json(found)
    else:
        findings.draw(found)
    return findings.status(found)


def purge(
    *,
    dry_run: Annotated[bool, Parameter(help="Only say what would be removed.")] = False,
    options: Options = DEFAULTS,
) -> None:
    """Remove the bodies of what ended longer ago than its retention; what proves them stays.

    For example:

        acmx purge --dry-run
    """
    with options.client() as client:
        done = client.purge(dry_run=dry_run)
        while done.more and not dry_run:
            next_ = client.purge()
            done = msgspec.structs.replace(
                next_,
                exchanges=done.exchanges + next_.exchanges,
                messages=done.messages + next_.messages,
                notices=done.notices + next_.notices,
                rows=done.rows + next_.rows,
            )
    would = "would be" if dry_run else "are"
    options.show(
        done,
        lambda: print(
            f"{done.messages:,} bodies and {done.notices:,} notices of {done.exchanges:,} exchanges that ended "
            f"before {time(done.before)}, and {done.rows:,} rows of provisioning jobs {would} removed."
        ),
    )

"""What a check found, one line each; and the exit status that says whether something failed."""

from acmx.cli.failures import DONE, FAILED
from acmx.cli.terminal import cell, out, table
from acmx.domain.acm1 import Findings

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}


def draw(findings: Findings) -> None:
    lines = table("check", "", "found")
    for finding in findings.items:
        lines.add_row(cell(finding.name), cell(finding.status, _STYLES[finding.status]), cell(finding.text))
    out().print(lines)


def status(findings: Findings) -> int:
    return FAILED if any(finding.status == "failed" for finding in findings.items) else DONE

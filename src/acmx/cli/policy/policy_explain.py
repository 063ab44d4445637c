"""`acmx policy explain`: who or what decided an exchange, and on what."""

from acmx.cli.options import DEFAULTS, Id, Options
from acmx.cli.terminal import cell, facts, out, plain, table, time
from acmx.domain.acm1 import Consultation, Explanation

WHY = {
    "rule": "a rule permits it",
    "no-rule": "no rule permits an answer, so a person decides",
    "forbidden": "a rule forbids it, so a person decides",
    "rule-failed": "a rule failed on the facts, so a person decides",
    "unreadable": "the policy could not be read, so a person decides",
    "several-approvals": "a rule approves, but several people must approve, so they decide",
    "nothing-to-disclose": "a rule approves, but nothing was fit to be disclosed, so a person decides",
}


def explain(id_: Id, /, *, options: Options = DEFAULTS) -> None:
    """Explain who or what decided an exchange: checks, rule, facts, policy as they were then.

    For example:

        acmx policy explain 01a3c5e7-9b2d-7f46-8a1b-3c5d7e9f1b2d
    """
    with options.client() as client:
        explanation = client.explanation(id_)
    options.show(explanation, lambda: _draw(explanation))


def _draw(explanation: Explanation) -> None:
    out().print(
        facts(
            {
                "exchange": explanation.id,
                "of": explanation.primary,
                "state": explanation.state,
                "outcome": explanation.outcome,
                "decided": _decided(explanation),
                "reason": explanation.reason,
            }
        )
    )
    if explanation.checks:
        _draw_checks(explanation)
    if explanation.consultation:
        _draw_consultation(explanation, explanation.consultation)
    elif explanation.role == "partner":
        out().print("\nPolicy was not asked, or what it was asked on was not kept.")


def _decided(explanation: Explanation) -> str:
    by = {
        "person": f"by {explanation.decided_by}",
        "policy": f"by policy, rule {explanation.rule or 'not kept'}",
        "clock": "by the clock: nobody decided in time",
        "check": f"here, before anything was sent: {explanation.rule}",
        "partner": f"by {explanation.decided_by or explanation.partner}",
        None: "not yet",
    }[explanation.by]
    return f"{by}, {time(explanation.decided_at)}" if explanation.decided_at else by


def _draw_checks(explanation: Explanation) -> None:
    rows = table("check of step 2", "", "meaning")
    for check in explanation.checks:
        verdict = cell("passed", "green") if check.passed else cell("refused", "bold red")
        rows.add_row(cell(check.rule), verdict, cell("\n".join(filter(None, (check.meaning, check.detail)))))
    out().print()
    out().print(rows)


def _draw_consultation(explanation: Explanation, asked: Consultation) -> None:
    out().print()
    out().print(
        facts(
            {
                "policy": f"version {asked.version}, asked {time(explanation.asked_at)}",
                "it said": f"{asked.decision}: {WHY[asked.why]}",
                "rules": ", ".join(asked.rules),
                "forbidden by": ", ".join(asked.forbidden),
                "failed": "\n".join(f"{failure.rule}: {failure.error}" for failure in asked.failed),
            }
        )
    )
    rows = table("fact", "value", "what it is, and where it came from")
    for fact in explanation.facts:
        value = ", ".join(fact.value) if isinstance(fact.value, list) else str(fact.value).lower()
        meaning = f"{fact.meaning} ({fact.unit})" if fact.unit else fact.meaning
        rows.add_row(cell(fact.name), cell(value), cell(f"{meaning}\n{fact.source}".replace("`", "")))
    out().print()
    out().print(rows)
    if explanation.policy:
        out().print(plain(f"\nThe policy of version {asked.version}:\n"))
        out().print(cell(explanation.policy.text), soft_wrap=True)

"""The partner's answer in words."""

from typing import Any

import tomli_w

from acmx.cli.exchange.summaries import verdict_rows
from acmx.cli.terminal import cell, facts, out, time
from acmx.domain.acm1 import Answer


def draw_answer(answer: Answer) -> None:
    handler = answer.handler.mc_service_id if answer.handler else "its policy or clock"
    validity = " until ".join(filter(None, (time(answer.valid_from), time(answer.valid_until))))
    out().print(
        facts(
            {
                "exchange": answer.id,
                "partner": answer.partner,
                "outcome": answer.outcome,
                "decided": f"{time(answer.decided_at)} by {handler}",
                "reason": answer.reason,
                "valid": validity,
                "services": ", ".join(map(str, answer.content.get("services", ()))),
                "missing": ", ".join(map(str, answer.content.get("missing", ()))),
            },
            *verdict_rows(answer.verdicts),
        )
    )
    if identity := rows_of(answer.content):
        out().print(cell(f"\n{identity}"), soft_wrap=True, end="")


def rows_of(content: dict[str, Any]) -> str:
    """The server identities in it, with their values."""
    return tomli_w.dumps(_without_nothing(content.get("server_identity")))


def _without_nothing(document: object) -> dict[str, object]:
    if not isinstance(document, dict):
        return {}
    return {
        name: _without_nothing(value) if isinstance(value, dict) else value
        for name, value in document.items()
        if value is not None
    }

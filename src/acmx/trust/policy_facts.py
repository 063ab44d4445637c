"""The facts that policy may look at: the one table of which the Cedar schema and the documentation are made."""

import json
from typing import Any, Literal

from msgspec import Struct


class PolicyFact(Struct, frozen=True):
    """`type` is Cedar's; an `optional` one is absent where its source is. `source`: where its value comes from."""

    name: str
    type: Literal["Long", "Bool", "String", "Set<String>"]
    unit: str
    meaning: str
    source: str
    example: Any
    optional: bool = False

    @property
    def shown(self) -> str:
        """The example as Cedar writes it."""
        return json.dumps(self.example)


FACTS = (
    PolicyFact("users", "Long", "", "how many users", "`users` of the request", 20),
    PolicyFact(
        "realms",
        "Set<String>",
        "",
        "hosts and phone contexts of the users; `tel` stands for global numbers",
        "`users` of the request",
        ["mc.metro-police.example", "tel"],
    ),
    PolicyFact(
        "services",
        "Set<String>",
        "",
        "services wanted, or given: `mcptt`, `mcvideo`, `mcdata`",
        "`content` of the request; all three where it names none",
        ["mcptt", "mcdata"],
    ),
    PolicyFact("urgency", "String", "", "`normal` or `urgent`", "`urgency` of the request", "urgent"),
    PolicyFact("hour", "Long", "UTC", "hour of arrival, 0 to 23", "this server's clock at the arrival", 23),
    PolicyFact("weekday", "Long", "UTC", "1 (Monday) to 7 (Sunday)", "this server's clock at the arrival", 7),
    PolicyFact(
        "referenced", "Bool", "", "an agreement or incident is named", "`reference` of the request", True
    ),
    PolicyFact("addressed", "Bool", "", "the request has an addressee", "`addressee` of the request", False),
    PolicyFact(
        "valid_days",
        "Long",
        "whole days",
        "from the arrival to the end that was asked for",
        "`valid_until` of the request, this server's clock",
        30,
        optional=True,
    ),
)
BY_NAME = {fact.name: fact for fact in FACTS}


def _schema() -> str:
    context = "".join(f"    {fact.name}{'?' if fact.optional else ''}: {fact.type},\n" for fact in FACTS)
    return f"""
entity MCSystem;
entity Kind;
action "approve", "decline", "withhold" appliesTo {{
  principal: [MCSystem],
  resource: [Kind],
  context: {{
{context}  }}
}};
"""


SCHEMA = _schema()

"""The facts of every request that policy may look at; those of a kind stand with it."""

import json
from typing import Any, Literal

from msgspec import Struct


class PolicyFact(Struct, frozen=True, omit_defaults=True):
    """`type` is Cedar's; an `optional` one is absent where its source is. `source`: where its value comes from.

    `kinds`: of which requests it is; none named: of all.
    """

    name: str
    type: Literal["Long", "Bool", "String", "Set<String>"]
    unit: str
    meaning: str
    source: str
    example: Any
    optional: bool = False
    kinds: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The example as Cedar writes it."""
        return json.dumps(self.example)


COMMON = (
    PolicyFact("users", "Long", "", "how many users", "`users` of the request", 20),
    PolicyFact(
        "realms",
        "Set<String>",
        "",
        "hosts and phone contexts of the users; `tel` stands for global numbers",
        "`users` of the request",
        ["mc.metro-police.example", "tel"],
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

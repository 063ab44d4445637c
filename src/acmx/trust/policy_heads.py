"""What the head of a rule says, by Cedar's JSON: whether the rule may approve, and the one kind that it names."""

from typing import Any, Literal

from msgspec import Struct

APPROVE: Literal["approve"] = "approve"


class Head(Struct, frozen=True):
    """`approves`: by its action, which is open or names `approve`. `kind`: None where the resource is open."""

    approves: bool
    kind: str | None


def head_of(rule: dict[str, Any]) -> Head:
    """`resource in` and `resource is` count as open: they may hold more than one kind."""
    action, resource = rule["action"], rule["resource"]
    actions = [action["entity"]] if "entity" in action else action.get("entities")
    may_approve = actions is None or any(named["id"] == APPROVE for named in actions)
    kind = resource["entity"]["id"] if resource["op"] == "==" else None
    return Head(rule["effect"] == "permit" and may_approve, kind)

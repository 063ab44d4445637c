"""The facts that policy may look at, by the register of kinds."""

from collections.abc import Sequence

import msgspec

from acmx.domain.policy_facts import COMMON, PolicyFact
from acmx.kinds import KINDS


def of_each() -> dict[str, Sequence[PolicyFact]]:
    """Those of each kind besides the common ones."""
    return {name: kind.FACTS for name, kind in KINDS.items()}


def every() -> list[PolicyFact]:
    """First those of every request, then those of some kinds, which they name."""
    own: dict[str, PolicyFact] = {}
    for kind, known in of_each().items():
        for fact in known:
            kinds = (*own.get(fact.name, fact).kinds, kind)
            own[fact.name] = msgspec.structs.replace(fact, kinds=kinds)
    return [*COMMON, *own.values()]

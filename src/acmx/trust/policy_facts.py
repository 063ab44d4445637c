"""The Cedar schema of what policy may look at."""

from collections.abc import Iterable

from acmx.domain.policy_facts import COMMON, PolicyFact


def schema(kinds: Iterable[str], own: Iterable[PolicyFact]) -> str:
    """Of requests that have the `own` facts besides the common ones; no kinds but these, where any are named."""
    context = "".join(
        f"    {fact.name}{'?' if fact.optional else ''}: {fact.type},\n" for fact in (*COMMON, *own)
    )
    names = ", ".join(f'"{kind}"' for kind in kinds)
    only = f" enum [{names}]" if names else ""
    return f"""
entity MCSystem;
entity Kind{only};
action "approve", "decline", "withhold" appliesTo {{
  principal: [MCSystem],
  resource: [Kind],
  context: {{
{context}  }}
}};
"""

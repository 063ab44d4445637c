"""A policy text is read by the register of kinds: which a rule may name, and the facts of each."""

from functools import lru_cache

from acmx.kinds import FORMER, policy_facts
from acmx.trust.policy import Policy


def read(text: str) -> Policy:
    """A text that is to be set, or tried. Raises FaultyInput."""
    return Policy(text, policy_facts.of_each())


@lru_cache(maxsize=4)
def stored(text: str) -> Policy:
    """A text that was set. One that was set before a rule had to name the kind it approves counts as naming `FORMER`.

    Raises FaultyInput where this acmx cannot read it.
    """
    return Policy(text, policy_facts.of_each(), FORMER)

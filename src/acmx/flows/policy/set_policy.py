"""The policy text is checked, and set; what cannot be read never replaces what holds."""

from msgspec import Struct

from acmx.domain import acm1
from acmx.domain.errors import FaultyInput, VersionsDiffer
from acmx.domain.moments import from_ms, to_ms
from acmx.flows.carry_out import StaleError
from acmx.flows.house import House
from acmx.flows.policy import read_policy
from acmx.storage import journal, policies
from acmx.storage.engine import Tx
from acmx.storage.policies import PolicyText
from acmx.trust.roles import Caller


class Plan(Struct, frozen=True):
    """The next version."""

    policy: PolicyText


def prepare(house: House, tx: Tx, caller: Caller, text: str, replaces: int | None = None) -> Plan:
    """Raises FaultyInput where the text is no policy, VersionsDiffer where another is to be replaced than holds."""
    current = policies.current(tx).version
    if replaces not in (None, current):
        raise VersionsDiffer(f"version {replaces} was to be replaced, now {current} holds", current=current)
    read_policy.read(text)
    return Plan(PolicyText(current + 1, text, to_ms(house.clock()), caller.mc_service_id))


def apply(tx: Tx, plan: Plan) -> acm1.Policy:
    """Raises StaleError where another policy was set meanwhile."""
    policy = plan.policy
    if not policies.insert(tx, policy):
        raise StaleError
    journal.write(tx, policy.set_at, "policy-set", policy.set_by, version=policy.version)
    return shown(policy)


def show(tx: Tx) -> acm1.Policy:
    return shown(policies.current(tx))


def checked(text: str) -> acm1.Policy:
    """Takes a while where it is long. Raises FaultyInput where the text is no policy."""
    return acm1.Policy(0, text, read_policy.read(text).rules)


def shown(policy: PolicyText) -> acm1.Policy:
    """A stored text that a newer acmx cannot read is shown all the same; a person decides everything then."""
    rules, unnamed, unreadable = list[str](), list[str](), None
    try:
        held = read_policy.stored(policy.text)
        rules, unnamed = held.rules, held.unnamed
    except FaultyInput as fault:
        unreadable = fault.detail
    return acm1.Policy(
        version=policy.version,
        text=policy.text,
        rules=rules,
        unnamed=unnamed,
        unreadable=unreadable,
        set_at=from_ms(policy.set_at) if policy.version else None,
        set_by=policy.set_by or None,
    )

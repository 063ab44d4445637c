"""Server identity information, the policy and why it decided as it did, and the roles."""

import asyncio

from acmx.domain import acm1
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.faces.acm1.calls import Call
from acmx.flows.holdings import enter_identities, list_holders
from acmx.flows.policy import set_policy
from acmx.flows.queries import explain, try_policy
from acmx.trust import roles


async def get_identities(call: Call) -> acm1.Identities:
    """Show the current version of the server identity information of this system."""
    return await call.read(lambda tx: enter_identities.show(tx, None))


async def get_identities_version(call: Call) -> acm1.Identities:
    """Show one version of the server identity information of this system."""
    version = call.named("version")
    if not (version.isascii() and version.isdecimal() and len(version) < 19):
        raise FaultyInput([Fault("version", version[:50], "must be a number")])
    return await call.read(lambda tx: enter_identities.show(tx, int(version)))


async def put_identities(call: Call) -> acm1.Identities:
    """Enter a new version of the server identity information of this system."""
    return await call.carry_out(enter_identities.prepare, enter_identities.apply, new=call.given)


async def get_holders(call: Call) -> acm1.Holders:
    """List which partner holds which version of the server identity information."""
    return await call.read(list_holders.holders)


async def get_policy(call: Call) -> acm1.Policy:
    """Show the policy that holds."""
    return await call.read(set_policy.show)


async def put_policy(call: Call) -> acm1.Policy:
    """Set the policy."""
    given = call.given
    return await call.carry_out(
        set_policy.prepare, set_policy.apply, text=given.text, replaces=given.replaces
    )


async def post_policy_check(call: Call) -> acm1.Policy:
    """Check a policy text without setting it."""
    return await asyncio.to_thread(set_policy.checked, call.given.text)


async def post_policy_trial(call: Call) -> acm1.TrialPage:
    """Try a policy text on one exchange, or on those that have arrived."""
    against, after, limit = call.given.against, call.after(), call.limit()
    arrived = await call.read(
        lambda tx: (
            try_policy.one(tx, call.caller, against)
            if against is not None
            else try_policy.last(tx, call.caller, after=after, limit=limit)
        )
    )
    return await asyncio.to_thread(try_policy.judge, call.given.text, arrived)


async def get_explanation(call: Call) -> acm1.Explanation:
    """Explain who or what decided an exchange, and on what."""
    return await call.read(lambda tx: explain.explain(tx, call.caller, call.named("id")))


async def get_roles(_call: Call) -> acm1.Roles:
    """List every role and what it may do."""
    return roles.shown()

"""Server identity information, and the policy."""

from acmx.domain import acm1
from acmx.domain.errors import Fault, FaultyInput
from acmx.faces.acm1.calls import Call
from acmx.flows import enter_identities, set_policy


async def get_identities(call: Call) -> acm1.Identities:
    return await call.read(lambda tx: enter_identities.show(tx, None))


async def get_identities_version(call: Call) -> acm1.Identities:
    version = call.named("version")
    if not (version.isascii() and version.isdecimal() and len(version) < 19):
        raise FaultyInput([Fault("version", version[:50], "must be a number")])
    return await call.read(lambda tx: enter_identities.show(tx, int(version)))


async def put_identities(call: Call) -> acm1.Identities:
    return await call.carry_out(enter_identities.prepare, enter_identities.apply, new=call.given)


async def get_policy(call: Call) -> acm1.Policy:
    return await call.read(set_policy.show)


async def put_policy(call: Call) -> acm1.Policy:
    return await call.carry_out(set_policy.prepare, set_policy.apply, text=call.given.text)


async def post_policy_check(call: Call) -> acm1.Policy:
    return set_policy.checked(call.given.text)

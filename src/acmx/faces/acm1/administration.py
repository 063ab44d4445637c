"""Partners, server identity information, policy, accounts and the audit log."""

import asyncio

from acmx.domain import acm1
from acmx.domain.errors import Fault, FaultyInput
from acmx.domain.moments import to_ms
from acmx.domain.partnership import PartnerFile, Standing
from acmx.faces.acm1.calls import Call
from acmx.flows import audit, enter_identities, keep_accounts, list_notices, meet_partner, set_policy


async def get_partners(call: Call) -> acm1.Partners:
    return acm1.Partners(await call.read(meet_partner.every))


async def get_partner(call: Call) -> acm1.Partner:
    return await call.read(lambda tx: meet_partner.show(tx, call.named("id")))


async def post_partner(call: Call) -> acm1.Partner:
    return await call.carry_out(meet_partner.prepare, meet_partner.apply, file=call.given)


async def post_acceptance(call: Call) -> acm1.Partner:
    return await _stand(call, "accepted")


async def post_suspension(call: Call) -> acm1.Partner:
    return await _stand(call, "suspended")


async def post_resumption(call: Call) -> acm1.Partner:
    return await _stand(call, "accepted")


async def post_comparison(call: Call) -> acm1.Partner:
    return await call.write(
        lambda tx: meet_partner.compare(call.desk.house, tx, call.caller, call.named("id"))
    )


async def get_partner_file(call: Call) -> PartnerFile:
    own = call.desk.own
    now = to_ms(call.desk.house.clock()) // 1000
    return PartnerFile(
        own.metadata.decode(), own.sign(own.metadata, to=own.system, typ="acm-metadata", now=now)
    )


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


async def get_accounts(call: Call) -> acm1.Accounts:
    after, limit = call.request.query_params.get("after", ""), call.limit()
    return await call.read(lambda tx: keep_accounts.page(tx, after=after, limit=limit))


async def post_account(call: Call) -> acm1.Account:
    actor = call.caller.mc_service_id
    plan = await asyncio.to_thread(keep_accounts.prepare, call.desk.house, actor, call.given)
    return await call.write(lambda tx: keep_accounts.apply(tx, plan))


async def post_disablement(call: Call) -> acm1.Account:
    return await call.write(
        lambda tx: keep_accounts.disable(call.desk.house, tx, call.caller, call.named("name"))
    )


async def get_audit(call: Call) -> acm1.AuditPage:
    after, limit = call.after(), call.limit()
    return await call.read(lambda tx: audit.page(tx, after=after, limit=limit))


async def get_notices(call: Call) -> acm1.NoticePage:
    after, limit = call.after(), call.limit()
    return await call.read(lambda tx: list_notices.page(tx, after=after, limit=limit))


async def _stand(call: Call, standing: Standing) -> acm1.Partner:
    return await call.write(
        lambda tx: meet_partner.stand(call.desk.house, tx, call.caller, call.named("id"), standing)
    )

"""Partner MC systems."""

from acmx.domain import acm1
from acmx.domain.moments import to_ms
from acmx.domain.partnership import PartnerFile, Standing
from acmx.faces.acm1.calls import Call
from acmx.flows import change_metadata, meet_partner, set_approvals


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


async def get_change(call: Call) -> acm1.PartnerChange:
    return await call.read(lambda tx: change_metadata.show(tx, call.named("id")))


async def post_confirmation(call: Call) -> acm1.Partner:
    house, caller = call.desk.house, call.caller
    return await call.write(
        lambda tx: change_metadata.confirm(house, tx, caller, call.named("id"), call.given.seen)
    )


async def put_approvals(call: Call) -> acm1.Partner:
    return await call.write(
        lambda tx: set_approvals.replace(call.desk.house, tx, call.caller, call.named("id"), call.given)
    )


async def get_partner_file(call: Call) -> PartnerFile:
    own = call.desk.own
    now = to_ms(call.desk.house.clock()) // 1000
    return PartnerFile(
        own.metadata.decode(), own.sign(own.metadata, to=own.system, typ="acm-metadata", now=now)
    )


async def _stand(call: Call, standing: Standing) -> acm1.Partner:
    return await call.write(
        lambda tx: meet_partner.stand(call.desk.house, tx, call.caller, call.named("id"), standing)
    )

"""Partner MC systems."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from acmx.domain import acm1
from acmx.domain.errors import NotAsCompared
from acmx.domain.moments import to_ms
from acmx.domain.partnership import PartnerFile
from acmx.faces.acm1.calls import Call
from acmx.flows.partnership import (
    change_metadata,
    change_partnership,
    meet_partner,
    set_approvals,
    set_terms,
    show_partner,
)

T = TypeVar("T")


async def get_partners(call: Call) -> acm1.Partners:
    """List every partner MC system."""
    return acm1.Partners(await call.read(show_partner.every))


async def get_partner(call: Call) -> acm1.Partner:
    """Show one partner MC system, and how the link to it is doing."""
    return await call.read(lambda tx: show_partner.show(tx, call.named("id")))


async def post_partner(call: Call) -> acm1.Partner:
    """Take in the file of a partner MC system."""
    return await call.carry_out(meet_partner.prepare, meet_partner.apply, file=call.given)


async def post_acceptance(call: Call) -> acm1.Partner:
    """Accept the partnership, naming the keys as people compared them."""
    accepted = await _change(call, partial(change_partnership.accept, compared=call.given))
    if isinstance(accepted, NotAsCompared):
        raise accepted
    return accepted


async def post_suspension(call: Call) -> acm1.Partner:
    """Suspend the partnership."""
    return await _change(call, partial(change_partnership.suspend, reason=call.given.reason))


async def post_resumption(call: Call) -> acm1.Partner:
    """Resume a suspended partnership."""
    return await _change(call, change_partnership.resume)


async def post_removal(call: Call) -> acm1.Partner:
    """End the partnership; what is stored of it stays."""
    return await _change(call, partial(change_partnership.remove, reason=call.given.reason))


async def put_terms(call: Call) -> acm1.Partner:
    """Set what is exchanged with a partner, who may ask it, and how much is taken from it."""
    return await _change(call, partial(set_terms.apply, given=call.given))


async def post_comparison(call: Call) -> acm1.Partner:
    """Compare the common exchanges with a partner as soon as the link allows."""
    return await _change(call, change_partnership.compare)


async def get_change(call: Call) -> acm1.PartnerChange:
    """Show what a partner has changed of itself and waits for a person."""
    return await call.read(lambda tx: change_metadata.show(tx, call.named("id")))


async def post_confirmation(call: Call) -> acm1.Partner:
    """Take what a partner has changed of itself, as it was shown."""
    house, caller = call.desk.house, call.caller
    return await call.write(
        lambda tx: change_metadata.confirm(house, tx, caller, call.named("id"), call.given.seen)
    )


async def put_approvals(call: Call) -> acm1.Partner:
    """Set how many people must approve what is exchanged with a partner."""
    return await call.write(
        lambda tx: set_approvals.replace(call.desk.house, tx, call.caller, call.named("id"), call.given)
    )


async def get_partner_file(call: Call) -> PartnerFile:
    """Give the partner file of this system, for people to hand over."""
    own = call.desk.own
    now = to_ms(call.desk.house.clock()) // 1000
    return PartnerFile(
        own.metadata.decode(), own.sign(own.metadata, to=own.system, typ="acm-metadata", now=now)
    )


async def _change(call: Call, act: Callable[..., T]) -> T:
    """`act(house, tx, caller, id)` on the partner that the path names."""
    return await call.write(lambda tx: act(call.desk.house, tx, call.caller, call.named("id")))

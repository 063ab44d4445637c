"""Running the server: the outbox, checks of partners, health, and the clock."""

import acmx
from acmx.domain import acm1
from acmx.faces.acm1.calls import Call
from acmx.flows.operations import list_outbox, retry_now, suspend_expiry


async def get_outbox(call: Call) -> acm1.OutboxPage:
    """List the messages that wait for a partner's signed answer, oldest first."""
    house, after, limit = call.desk.house, call.after(), call.limit()
    partner = call.request.query_params.get("partner")
    return await call.read(lambda tx: list_outbox.page(house, tx, after=after, limit=limit, partner=partner))


async def post_retry(call: Call) -> acm1.Retried:
    """Send again now what waits for a partner, what waits of an exchange, or everything."""
    return await call.write(lambda tx: retry_now.apply(call.desk.house, tx, call.caller, call.given))


async def post_partner_check(call: Call) -> acm1.Findings:
    """Check the link to a partner, step by step."""
    return await call.desk.check(call.named("id"))


async def get_health(call: Call) -> acm1.Health:
    """Show how the server is doing."""
    components = call.desk.vitals.components()
    clock = await call.read(lambda tx: suspend_expiry.standing(call.desk.house, tx))
    ok = all(component.ok for component in components) and clock.held_since is None
    return acm1.Health(ok, acmx.__version__, components, clock, call.desk.vitals.expiring)


async def post_clock_confirmation(call: Call) -> acm1.ClockStanding:
    """Confirm that the server's clock is right."""
    return await call.write(lambda tx: suspend_expiry.confirm(call.desk.house, tx, call.caller))

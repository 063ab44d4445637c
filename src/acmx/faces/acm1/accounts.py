"""Accounts of people and of services."""

import asyncio

from acmx.domain import acm1
from acmx.faces.acm1.calls import Call
from acmx.flows import keep_accounts


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

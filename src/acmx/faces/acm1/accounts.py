"""Accounts of people and of services, and the caller's own session."""

from functools import partial

from acmx.domain import acm1
from acmx.faces.acm1.authentication import address_of, bearer_of
from acmx.faces.acm1.calls import Call
from acmx.flows.people import keep_accounts, log_on


async def get_accounts(call: Call) -> acm1.Accounts:
    """List the accounts by name."""
    after, limit = call.request.query_params.get("after", ""), call.limit()
    return await call.read(lambda tx: keep_accounts.page(tx, after=after, limit=limit))


async def post_account(call: Call) -> acm1.Account:
    """Add an account."""
    actor = call.caller.mc_service_id
    prepare = partial(keep_accounts.prepare, call.desk.house, actor, call.given)
    plan = await call.desk.passwords.hashing(prepare, address_of(call.request))
    return await call.write(lambda tx: keep_accounts.add(tx, call.caller, plan))


async def post_disablement(call: Call) -> acm1.Account:
    """Disable an account; nobody logs on with it any more."""
    return await call.write(
        lambda tx: keep_accounts.disable(call.desk.house, tx, call.caller, call.named("name"))
    )


async def post_enablement(call: Call) -> acm1.Account:
    """Enable an account that was disabled."""
    return await call.write(
        lambda tx: keep_accounts.enable(call.desk.house, tx, call.caller, call.named("name"))
    )


async def post_choice(call: Call) -> acm1.Account:
    """Choose this one of several accounts with one MC service ID; the others are disabled."""
    return await call.write(
        lambda tx: keep_accounts.choose(call.desk.house, tx, call.caller, call.named("name"))
    )


async def post_unlocking(call: Call) -> acm1.Account:
    """Forget the failed log-ons of an account."""
    return await call.write(
        lambda tx: keep_accounts.unlocked(call.desk.house, tx, call.caller, call.named("name"))
    )


async def patch_account(call: Call) -> acm1.Account:
    """Change the roles or the mail address of an account."""
    return await call.write(
        lambda tx: keep_accounts.change(call.desk.house, tx, call.caller, call.named("name"), call.given)
    )


async def post_password(call: Call) -> acm1.Account:
    """Change the caller's password, and end every session of the account."""
    return await call.desk.passwords.change(call.caller, call.given, address_of(call.request))


async def get_session(call: Call) -> acm1.Standing:
    """Show who the bearer token stands for."""
    caller = call.caller
    return acm1.Standing(
        caller.account, caller.mc_service_id, list(caller.roles), call.desk.house.system, caller.automatic
    )


async def delete_session(call: Call) -> acm1.Standing:
    """Log off; the session of a local account ends."""
    token = bearer_of(call.request)
    await call.write(lambda tx: log_on.end(call.desk.house, tx, call.caller, token))
    return await get_session(call)

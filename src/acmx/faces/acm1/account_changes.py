"""Changes of accounts that wait for a second operator, and people whom an OpenID provider vouches for."""

from acmx.domain import acm1
from acmx.faces.acm1.calls import Call
from acmx.flows.people import account_changes, approve_account_change, vouched_people


async def get_account_changes(call: Call) -> acm1.WaitingChanges:
    """List the changes of accounts that wait for a second operator, oldest first."""
    after, limit = call.request.query_params.get("after", ""), call.limit()
    return await call.read(lambda tx: account_changes.page(tx, after=after, limit=limit))


async def post_change_approval(call: Call) -> acm1.WaitingChange:
    """Approve what another operator has asked for an account."""
    return await call.write(
        lambda tx: approve_account_change.approve(call.desk.house, tx, call.caller, call.named("id"))
    )


async def post_change_refusal(call: Call) -> acm1.WaitingChange:
    """Refuse what was asked for an account, or take it back."""
    return await call.write(
        lambda tx: approve_account_change.refuse(
            call.desk.house, tx, call.caller, call.named("id"), call.given.reason
        )
    )


async def get_account_approvals(call: Call) -> acm1.AccountApprovalsSet:
    """Show how many operators it takes to give somebody a role."""
    return await call.read(account_changes.approvals)


async def put_account_approvals(call: Call) -> acm1.AccountApprovalsSet:
    """Set how many operators it takes to give somebody a role."""
    return await call.write(
        lambda tx: account_changes.set_approvals(call.desk.house, tx, call.caller, call.given)
    )


async def get_vouched(call: Call) -> acm1.VouchedPeople:
    """List the people whom an OpenID provider vouches for, by MC service ID."""
    after, limit = call.request.query_params.get("after", ""), call.limit()
    return await call.read(lambda tx: vouched_people.page(tx, after=after, limit=limit))


async def post_freeing(call: Call) -> acm1.VouchedPerson:
    """Free the MC service ID of a subject of an OpenID provider."""
    return await call.write(lambda tx: vouched_people.free(call.desk.house, tx, call.caller, call.given))

"""From answer to device."""

from acmx.domain import acm1
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.faces.acm1.calls import Call
from acmx.flows.provisioning import (
    end_provisioning,
    enter_template,
    make_documents,
    provision,
    show_provisioning,
)

FLAG = {"true": True, "false": False}
STATES: tuple[acm1.RowState, ...] = ("waiting", "written", "unchanged", "different", "failed")


async def get_documents(call: Call) -> acm1.Documents:
    """Make the UE initial configuration document and the user profile entries of an answer."""
    given = call.request.query_params.get("rel13", "false")
    if given not in FLAG:
        raise FaultyInput([Fault("rel13", given[:50], "must be true or false")])
    name, house = call.named("id"), call.desk.house
    return await call.read(lambda tx: make_documents.show(house, tx, call.caller, name, rel13=FLAG[given]))


async def get_template(call: Call) -> acm1.Template:
    """Show the template for the documents of a partner."""
    return await call.read(lambda tx: enter_template.show(tx, call.named("id")))


async def put_template(call: Call) -> acm1.Template:
    """Enter a new version of the template for the documents of a partner."""
    return await call.carry_out(
        enter_template.prepare, enter_template.apply, partner=call.named("id"), new=call.given
    )


async def post_provisioning(call: Call) -> acm1.Provisioning:
    """Put the documents of an exchange on the CMS, preview that, or take them off it."""
    return await call.carry_out(provision.prepare, provision.apply, name=call.named("id"), given=call.given)


async def get_provisionings(call: Call) -> acm1.Provisionings:
    """List the jobs at the CMS for an exchange, newest first."""
    return await call.read(lambda tx: show_provisioning.jobs(tx, call.caller, call.named("id")))


async def get_provisioning(call: Call) -> acm1.Provisioning:
    """Show one job at the CMS."""
    return await call.read(lambda tx: show_provisioning.show(tx, call.caller, call.named("id")))


async def get_provisioning_rows(call: Call) -> acm1.ProvisioningRows:
    """List the documents of a job at the CMS, in its order."""
    given = call.request.query_params.get("state")
    state = next((known for known in STATES if known == given), None)
    if given is not None and state is None:
        raise FaultyInput([Fault("state", given[:50], f"must be one of {', '.join(STATES)}")])
    after = -1 if "after" not in call.request.query_params else call.after() or 0
    limit = call.limit()
    return await call.read(
        lambda tx: show_provisioning.rows(
            tx, call.caller, call.named("id"), state=state, after=after, limit=limit
        )
    )


async def post_cancellation(call: Call) -> acm1.Provisioning:
    """Cancel a job at the CMS; no more documents are written."""
    house = call.desk.house
    return await call.write(lambda tx: end_provisioning.cancel(house, tx, call.caller, call.named("id")))

"""From answer to device."""

from acmx.domain import acm1
from acmx.domain.errors import Fault, FaultyInput
from acmx.faces.acm1.calls import Call
from acmx.flows import enter_template, make_documents

FLAG = {"true": True, "false": False}


async def get_documents(call: Call) -> acm1.Documents:
    given = call.request.query_params.get("rel13", "false")
    if given not in FLAG:
        raise FaultyInput([Fault("rel13", given[:50], "must be true or false")])
    name, house = call.named("id"), call.desk.house
    return await call.read(lambda tx: make_documents.show(house, tx, call.caller, name, rel13=FLAG[given]))


async def get_template(call: Call) -> acm1.Template:
    return await call.read(lambda tx: enter_template.show(tx, call.named("id")))


async def put_template(call: Call) -> acm1.Template:
    return await call.carry_out(
        enter_template.prepare, enter_template.apply, partner=call.named("id"), new=call.given
    )

"""Steps 1, 9-12, 17-18 and what belongs to them: the exchanges, as their own ACM clients handle them."""

from acmx.domain import acm1
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.faces.acm1.calls import Call
from acmx.flows.exchange import answer, ask, retrieve, review, revoke, submit, withdraw
from acmx.flows.queries import access_log, list_exchanges, pending, show


async def post_request(call: Call) -> acm1.Accepted:
    """Ask a partner MC system for something, or give it something unasked (step 1)."""
    key = call.request.headers.get("Idempotency-Key", "")
    if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise FaultyInput(
            [Fault("Idempotency-Key", key[:50], "must be a header of 1 to 255 printable characters")]
        )
    used = await call.carry_out(submit.prepare, submit.apply, key=key, submission=call.given)
    return submit.answer(used)


async def get_requests(call: Call) -> acm1.Page:
    """List the exchanges that the caller may see, newest first."""
    chosen = {name: call.request.query_params.get(name) for name in ("state", "partner")}
    after, limit = call.after(), call.limit()
    return await call.read(
        lambda tx: list_exchanges.page(tx, call.caller, after=after, limit=limit, **chosen)
    )


async def get_request(call: Call) -> acm1.Exchange:
    """Show one exchange, whole; it is journalled who looked."""
    await _opened(call)
    return await call.read(lambda tx: show.show(tx, call.caller, call.named("id")))


async def get_pending(call: Call) -> acm1.Pending:
    """List what waits for the caller: to decide, fetch, answer or release (steps 9, 10 and 17)."""
    house, told_at = call.desk.house, call.desk.told_at(call.caller.mc_service_id)
    after, limit = call.after() or 0, call.limit()
    plan = await call.read(lambda tx: pending.prepare(house, tx, call.caller, after, limit, told_at))
    if plan.first_shown:
        await call.write(lambda tx: pending.apply(tx, plan))
    return plan.pending


async def post_withdrawal(call: Call) -> acm1.Accepted:
    """Take a request back."""
    return await call.carry_out(withdraw.prepare, withdraw.apply, name=call.named("id"), given=call.given)


async def post_retrieval(call: Call) -> acm1.Answer:
    """Fetch the answer to a request (step 18)."""
    answer = await call.carry_out(retrieve.prepare, retrieve.apply, name=call.named("id"))
    await _opened(call)
    return answer


async def post_review(call: Call) -> acm1.Reviewed:
    """Decide a request of a partner (step 12), or release one of this system."""
    return await call.carry_out(review.prepare, review.apply, name=call.named("id"), review=call.given)


async def post_revocation(call: Call) -> acm1.Revoked:
    """Take an approval back, for some users or for all."""
    return await call.carry_out(revoke.prepare, revoke.apply, name=call.named("id"), given=call.given)


async def post_question(call: Call) -> acm1.Accepted:
    """Ask the partner about its request before it is decided."""
    return await call.carry_out(ask.prepare, ask.apply, name=call.named("id"), given=call.given)


async def post_answer(call: Call) -> acm1.Accepted:
    """Answer a question of the partner about a request."""
    return await call.carry_out(answer.prepare, answer.apply, name=call.named("id"), given=call.given)


async def _opened(call: Call) -> None:
    """It is journalled who looks before anything is shown."""
    house, caller = call.desk.house, call.caller
    key = await call.read(lambda tx: access_log.prepare(house, tx, caller, call.named("id")))
    if key is not None:
        await call.write(lambda tx: access_log.apply(house, tx, caller, key))

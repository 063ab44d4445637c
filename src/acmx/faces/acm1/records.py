"""The audit log, and what people were told."""

from acmx.domain import acm1
from acmx.faces.acm1.calls import Call
from acmx.flows.evidence import audit
from acmx.flows.operations import list_notices
from acmx.storage.journal import Wanted


async def get_audit(call: Call) -> acm1.AuditPage:
    """List the journal, newest first."""
    after, limit, query = call.after(), call.limit(), call.request.query_params
    wanted = Wanted(query.get("event"), query.get("actor"), query.get("exchange"))
    return await call.read(lambda tx: audit.page(tx, after=after, limit=limit, wanted=wanted))


async def get_news(call: Call) -> acm1.NoticePage:
    """List what was told to the caller, or to those who may do what the caller may."""
    after, limit = call.after(), call.limit()
    return await call.read(lambda tx: list_notices.news(tx, call.caller, after=after, limit=limit))


async def get_notices(call: Call) -> acm1.NoticePage:
    """List what people were told, newest first."""
    after, limit = call.after(), call.limit()
    return await call.read(lambda tx: list_notices.page(tx, after=after, limit=limit))

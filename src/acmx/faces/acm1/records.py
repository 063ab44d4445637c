"""The audit log, and what people were told."""

from acmx.domain import acm1
from acmx.faces.acm1.calls import Call
from acmx.flows import audit, list_notices


async def get_audit(call: Call) -> acm1.AuditPage:
    after, limit = call.after(), call.limit()
    return await call.read(lambda tx: audit.page(tx, after=after, limit=limit))


async def get_news(call: Call) -> acm1.NoticePage:
    """What was told to the caller, or to those who may do what the caller may."""
    after, limit = call.after(), call.limit()
    return await call.read(lambda tx: list_notices.news(tx, call.caller, after=after, limit=limit))


async def get_notices(call: Call) -> acm1.NoticePage:
    after, limit = call.after(), call.limit()
    return await call.read(lambda tx: list_notices.page(tx, after=after, limit=limit))

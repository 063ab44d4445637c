"""What waits for partners, why, and until when; and sending it again now."""

from starlette.responses import Response

from acmx.faces.acm1 import operations, partners
from acmx.faces.console.visit import Visit

ROWS = 50
NAMED = 12


async def get_outbox(visit: Visit) -> Response:
    chosen = visit.asked("partner")
    page = await visit.ask(operations.get_outbox, query={**visit.asked("after"), **chosen, "limit": ROWS})
    waiting = [one for one in (await visit.ask(partners.get_partners)).items if one.waiting]
    waiting.sort(key=lambda one: (one.id != chosen.get("partner"), -one.waiting))
    return visit.page("outbox.html", page=page, chosen=chosen, partners=waiting[:NAMED])


async def post_retry(visit: Visit) -> Response:
    """All that waits for a partner, or of an exchange; with neither, everything."""
    names = ("partner", "exchange")
    await visit.ask(
        operations.post_retry, {name: visit.form.one(name) for name in names if visit.form.one(name)}
    )
    partner = visit.form.one("partner")
    return visit.go(f"/partners/{partner}" if partner else "/outbox", "retried")

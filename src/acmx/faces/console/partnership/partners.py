"""The partners: a picture of them while they are few, and the list of them in which one finds the one."""

from starlette.responses import Response

from acmx.faces.acm1 import partners
from acmx.faces.console.partnership.conditions import TONES, Seen, seen
from acmx.faces.console.partnership.partner_map import drawn
from acmx.faces.console.visit import Visit

ROWS = 50
NEEDS_SOMEBODY = "needs-somebody"
"""The filter besides the conditions."""


async def get_partners(visit: Visit) -> Response:
    now = visit.acm1.desk.house.clock()
    shown = await visit.ask(partners.get_partners)
    every = sorted((seen(partner, now) for partner in shown.items), key=lambda one: one.partner.id)
    chosen = visit.asked("find", "condition")
    found = [one for one in every if _fits(one, chosen)]
    after = visit.asked("after").get("after", "")
    rest = [one for one in found if one.partner.id > after]
    return visit.page(
        "partners.html",
        partners=rest[:ROWS],
        next=rest[ROWS - 1].partner.id if len(rest) > ROWS else None,
        found=len(found),
        total=len(every),
        needing=sum(one.needs_somebody for one in every),
        conditions=[NEEDS_SOMEBODY, *TONES],
        chosen=chosen,
        map=None if chosen or after else drawn([one for one in every if one.condition != "removed"]),
    )


def _fits(one: Seen, chosen: dict[str, str]) -> bool:
    condition = chosen.get("condition", one.condition)
    words = (one.partner.id, one.partner.name, one.partner.contact)
    find = chosen.get("find", "").casefold()
    return (one.needs_somebody if condition == NEEDS_SOMEBODY else one.condition == condition) and any(
        find in word.casefold() for word in words
    )

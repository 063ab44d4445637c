"""A new partner, in four steps: our file goes there, theirs comes here, two people compare, and both have accepted."""

import msgspec
from starlette.responses import Response

from acmx.domain.documents import encode, parse
from acmx.domain.errors import AcmxError, FaultyInput, NotAsCompared
from acmx.domain.faults import Fault
from acmx.domain.partnership import Metadata
from acmx.faces.acm1 import partners
from acmx.faces.console import downloads
from acmx.faces.console.partnership.conditions import seen
from acmx.faces.console.visit import Visit
from acmx.trust.keys import same_key, spoken

NOT_HEARD = "is not the last group of this key. Let them read it again"


async def get_file(visit: Visit) -> Response:
    """Our own file, to be handed over."""
    file = await visit.ask(partners.get_partner_file)
    return downloads.file(f"{visit.acm1.desk.house.system}.json", encode(file), "application/json")


async def get_new(visit: Visit) -> Response:
    return await _new(visit)


async def post_new(visit: Visit) -> Response:
    """Theirs is read and pinned; nothing is exchanged until it is accepted."""
    try:
        partner = await visit.ask(partners.post_partner, parse(visit.form.one("file").encode()))
    except AcmxError as error:
        return await _new(visit, error)
    return visit.go(f"/partners/{partner.id}/acceptance")


async def get_acceptance(visit: Visit) -> Response:
    """To compare; and once it is accepted here, what is still missing."""
    return await _compared(visit)


async def post_acceptance(visit: Visit) -> Response:
    """What was heard is put where the last groups were not shown; ACM-1 compares."""
    id_, kinds = visit.named("id"), visit.form.all("kinds")
    partner = await visit.ask(partners.get_partner, id=id_)
    heard = [_with_last(said, visit.form.one(f"last_{n}")) for n, said in enumerate(partner.spoken)]
    try:
        given = {"thumbprints": heard, "kinds": kinds, "seen": visit.form.one("seen")}
        await visit.ask(partners.post_acceptance, given, id=id_)
    except NotAsCompared as error:
        faults = [
            Fault(f"last_{n}", "", NOT_HEARD)
            for n, (said, kid) in enumerate(zip(heard, partner.thumbprints, strict=True))
            if not same_key(said, kid)
        ]
        return await _compared(visit, error, faults, kinds)
    return visit.go(f"/partners/{id_}/acceptance", "accepted")


def _with_last(digits: str, last: str) -> str:
    return f"{digits.rpartition(' ')[0]} {last}"


async def _new(visit: Visit, error: AcmxError | None = None) -> Response:
    said = error.faults if isinstance(error, FaultyInput) else [Fault("", "", error.title())] if error else []
    return visit.page(
        "partner_new.html",
        error,
        own=_keys(await _own(visit)),
        file=visit.form.one("file"),
        faults=[Fault("file", "", str(fault)) for fault in said],
    )


async def _compared(
    visit: Visit,
    error: AcmxError | None = None,
    faults: list[Fault] | None = None,
    ticked: list[str] | None = None,
) -> Response:
    """`ticked`: by the person; at first what the terms list, or else every kind that both systems know."""
    partner, own = await visit.ask(partners.get_partner, id=visit.named("id")), await _own(visit)
    common = [kind.kind for kind in own.kinds if kind.kind in partner.kinds]
    return visit.page(
        "partner_acceptance.html",
        error,
        one=seen(partner, visit.acm1.desk.house.clock()),
        partner=partner,
        own=_keys(own),
        kinds=[kind.kind for kind in own.kinds],
        ticked=(partner.terms.kinds or common) if ticked is None else ticked,
        faults=faults or [],
    )


async def _own(visit: Visit) -> Metadata:
    file = await visit.ask(partners.get_partner_file)
    return msgspec.json.decode(file.metadata, type=Metadata)


def _keys(own: Metadata) -> list[str]:
    """As they are read out."""
    return [spoken(key.kid) for key in own.keys]

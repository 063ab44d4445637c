"""What a partner has given becomes the documents that devices load (TS 24.484 clauses 7.2, 8.3, 9.3, 10.3)."""

import msgspec
from msgspec import Struct

from acmx.domain import acm1, server_identity
from acmx.domain.acm1 import Documents
from acmx.domain.errors import NotNow, NotProvisionable
from acmx.flows.exchange.find import find
from acmx.flows.exchange.grant import Standing, standing
from acmx.flows.exchange.response import read_request
from acmx.flows.holdings import named_by
from acmx.flows.house import House
from acmx.flows.provisioning.own_users import takes
from acmx.kinds import kind_named
from acmx.kinds.catalogue import Given
from acmx.provisioning import document, profile
from acmx.provisioning.template import Template
from acmx.provisioning.values import Values
from acmx.provisioning.xml import Element, write
from acmx.storage import templates
from acmx.storage.engine import Tx
from acmx.storage.exchange import messages
from acmx.storage.exchange.exchanges import Exchange
from acmx.trust.roles import Caller


class Made(Struct, frozen=True):
    """The document of a partner, and what it was made of; `template` is the version, 0 for the defaults."""

    given: Given
    template: int
    root: Element
    values: Values


def show(house: House, tx: Tx, caller: Caller, name: str, *, rel13: bool) -> Documents:
    """Raises NotFound, NotNow where nothing is granted, NotProvisionable with all that is missing, InvalidDocument."""
    exchange = find(tx, caller, name)
    stands = answered(tx, exchange)
    made = make(tx, exchange, stands, rel13=rel13)
    entries = [
        acm1.Entry(
            service=service,
            name=f"{names.root}-entry-{exchange.partner}.xml",
            xml=write(profile.entry(names, made.values.get("mc_system_id"), made.root)).decode(),
        )
        for service, names in house.profiles.items()
        if service in made.given.services
    ]
    return Documents(
        id=exchange.id,
        partner=exchange.partner,
        catalogue=made.given.catalogue,
        template=made.template,
        name=file_name(exchange.partner),
        xml=write(made.root).decode(),
        entries=entries,
        users=stands.users,
        sources=made.values.sources,
    )


def make(tx: Tx, exchange: Exchange, stands: Standing, *, rel13: bool) -> Made:
    """Raises NotNow where nothing is granted, NotProvisionable with all that is missing, InvalidDocument."""
    if exchange.grant_state != "live":
        held = f"the approval is {exchange.grant_state}" if exchange.grant_state else "nobody was approved"
        raise NotNow(held, state=exchange.state)
    given = given_with(tx, exchange, stands)
    version, template = template_of(tx, exchange.partner)
    root, values = document.make(server_identity.read(given.server_identity), template, rel13=rel13)
    return Made(given, version, root, values)


def template_of(tx: Tx, partner: str) -> tuple[int, Template]:
    """Its version and itself; 0 and the defaults where none was entered."""
    kept = templates.current(tx, partner)
    return (kept.version, msgspec.json.decode(kept.body, type=Template)) if kept else (0, Template())


def file_name(partner: str) -> str:
    return f"ue-init-config-{partner}.xml"


def answered(tx: Tx, exchange: Exchange) -> Standing:
    """What stands of the answer, whether its approval holds or not. Raises NotNow."""
    stands = standing(messages.of_exchange(tx, exchange.primary_system, exchange.id))
    if not takes(exchange) or stands is None:
        raise NotNow("there are no server identities to make documents of", state=exchange.state)
    return stands


def given_with(tx: Tx, exchange: Exchange, stands: Standing) -> Given:
    """What the partner gives with its response, or has given unasked with the request.

    Raises NotNow, NotProvisionable where it names another system.
    """
    kind = kind_named(exchange.kind or "")
    given = kind.given(read_request(stands.request), stands.content) if stands.request else None
    if given is None:
        raise NotNow("nobody was approved", state=exchange.state)
    if faults := named_by.faults_of_partner(tx, exchange.partner, given):
        raise NotProvisionable(faults)
    return given

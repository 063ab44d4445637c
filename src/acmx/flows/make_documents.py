"""What a partner has given becomes the documents that devices load (TS 24.484 clauses 7.2, 8.3, 9.3, 10.3)."""

import msgspec
from msgspec import Struct

from acmx.domain import acm1, server_identity
from acmx.domain.acm1 import Documents
from acmx.domain.errors import NotNow
from acmx.domain.messages import Response
from acmx.flows.find import find
from acmx.flows.house import House
from acmx.flows.own_users import approved, takes
from acmx.flows.response import read_request
from acmx.kinds import kind_named
from acmx.kinds.catalogue import Given
from acmx.provisioning import document, profile
from acmx.provisioning.template import Template
from acmx.provisioning.values import Values
from acmx.provisioning.xml import Element, write
from acmx.storage import messages, templates
from acmx.storage.engine import Tx
from acmx.storage.exchanges import Exchange
from acmx.trust.roles import Caller


class Made(Struct, frozen=True):
    """The document of a partner, and what it was made of; `template` is the version, 0 for the defaults."""

    response: Response
    given: Given
    template: int
    root: Element
    values: Values

    @property
    def users(self) -> list[str]:
        return approved(self.response)


def show(house: House, tx: Tx, caller: Caller, name: str, *, rel13: bool) -> Documents:
    """Raises NotFound, NotNow where nothing is granted, NotProvisionable with all that is missing, InvalidDocument."""
    exchange = find(tx, caller, name)
    made = make(tx, exchange, rel13=rel13)
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
        users=made.users,
        sources=made.values.sources,
    )


def make(tx: Tx, exchange: Exchange, *, rel13: bool) -> Made:
    """Raises NotNow where nothing is granted, NotProvisionable with all that is missing, InvalidDocument."""
    response = granted(tx, exchange)
    given = given_with(tx, exchange, response)
    kept = templates.current(tx, exchange.partner)
    values = msgspec.json.decode(kept.body, type=Template) if kept else Template()
    root, made_of = document.make(server_identity.read(given.server_identity), values, rel13=rel13)
    return Made(response, given, kept.version if kept else 0, root, made_of)


def file_name(partner: str) -> str:
    return f"ue-init-config-{partner}.xml"


def granted(tx: Tx, exchange: Exchange) -> Response:
    """The response whose approval holds. Raises NotNow."""
    response = answered(tx, exchange)
    if exchange.grant_state != "live":
        held = f"the approval is {exchange.grant_state}" if exchange.grant_state else "nobody was approved"
        raise NotNow(held, state=exchange.state)
    return response


def answered(tx: Tx, exchange: Exchange) -> Response:
    """The response, whether its approval holds or not. Raises NotNow."""
    stored = messages.of_exchange(tx, exchange.primary_system, exchange.id)
    body = next((m.body for m in stored if m.type == "response"), None)
    if not takes(exchange) or body is None:
        raise NotNow("there are no server identities to make documents of", state=exchange.state)
    return msgspec.json.decode(body, type=Response)


def given_with(tx: Tx, exchange: Exchange, response: Response) -> Given:
    """What the partner has given with this response, or unasked with the request. Raises NotNow."""
    request = messages.at(tx, exchange.primary_system, exchange.id, exchange.primary_system, 1)
    given = kind_named(exchange.kind or "").given(read_request(request), response) if request else None
    if given is None:
        raise NotNow("nobody was approved", state=exchange.state)
    return given

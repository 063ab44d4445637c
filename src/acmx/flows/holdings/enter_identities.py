"""The server identity information of this system is entered, version after version, and validated on entry."""

import msgspec
from msgspec import Struct

from acmx.domain import acm1, server_identity
from acmx.domain.acm1 import Identities, NewIdentities
from acmx.domain.errors import FaultyInput, Incomplete, NotFound, VersionsDiffer
from acmx.domain.moments import from_ms, to_ms
from acmx.flows.carry_out import StaleError
from acmx.flows.holdings import named_by
from acmx.flows.house import House
from acmx.storage import holdings, journal
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges
from acmx.storage.holdings import Catalogue
from acmx.trust.roles import Caller


class Plan(Struct, frozen=True):
    """The next version."""

    catalogue: Catalogue


def prepare(house: House, tx: Tx, caller: Caller, new: NewIdentities) -> Plan:
    """Raises FaultyInput naming every fault, Incomplete where a required row is missing and that is not marked,
    VersionsDiffer where another version is to be replaced than there is.
    """
    current = holdings.current_version(tx)
    if new.replaces not in (None, current):
        raise VersionsDiffer(
            f"version {new.replaces} was to be replaced, now there is {current}", current=current
        )
    identity = server_identity.read(new.server_identity)
    if faults := named_by.faults(house.system, house.realms, identity.mc_system_id):
        raise FaultyInput(faults)
    missing = server_identity.missing(identity)
    if missing and not new.incomplete:
        raise Incomplete(f"missing: {', '.join(missing)}", missing=missing)
    if any("," in row for row in missing):
        missing = [row.replace(",", ";") for row in missing]
    catalogue = Catalogue(
        version=_next_version(tx),
        body=msgspec.json.encode(identity),
        missing=",".join(missing),
        entered_at=to_ms(house.clock()),
        entered_by=caller.mc_service_id,
    )
    return Plan(catalogue)


def apply(tx: Tx, plan: Plan) -> Identities:
    """Raises StaleError where another version was entered, or came to be known of, meanwhile."""
    catalogue = plan.catalogue
    if catalogue.version != _next_version(tx) or not holdings.insert(tx, catalogue):
        raise StaleError
    journal.write(
        tx,
        catalogue.entered_at,
        "identities-entered",
        catalogue.entered_by,
        version=catalogue.version,
        missing=catalogue.missing,
    )
    return shown(catalogue)


def show(tx: Tx, version: int | None) -> Identities:
    """The current version, or the one asked for. Raises NotFound."""
    catalogue = holdings.current(tx) if version is None else holdings.find(tx, version)
    if catalogue is not None:
        return shown(catalogue)
    if version is not None:
        raise NotFound(f"no version {version} of the server identity information")
    return Identities(version=0, missing=[], server_identity={})


def _next_version(tx: Tx) -> int:
    """A number that a restore lost, and that a partner still knows, is not given again."""
    return max(holdings.current_version(tx), exchanges.highest_known(tx)) + 1


def shown(catalogue: Catalogue) -> acm1.Identities:
    return Identities(
        version=catalogue.version,
        missing=[row for row in catalogue.missing.split(",") if row],
        server_identity=msgspec.json.decode(catalogue.body),
        entered_at=from_ms(catalogue.entered_at),
        entered_by=catalogue.entered_by,
    )

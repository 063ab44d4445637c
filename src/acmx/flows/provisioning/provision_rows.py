"""The rows of a job: each user with each MC service, then the UE initial configuration document."""

import msgspec

from acmx.domain.errors import NotFound
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.flows.provisioning import make_documents, own_users
from acmx.storage import provisionings
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.provisionings import UE, Job, Row


def new_rows(house: House, tx: Tx, job: Job, limit: int) -> list[Row]:
    """The rows of a job that are not there yet, `limit` at most: each user with each service, then the document."""
    exchange = exchanges.find(tx, job.primary_system, job.exchange)
    if exchange is None:
        raise NotFound
    begin = provisionings.last_row(tx, job.id) + 1
    stands = make_documents.answered(tx, exchange)
    users, services = own_users.of_job(tx, exchange, stands, job), job.services.split()
    given = make_documents.given_with(tx, exchange, stands).services
    made = []
    for n in range(begin, min(begin + limit, job.total)):
        if n == len(users) * len(services):
            made.append(Row(job.id, n, job.owner or "", UE, gone=int(job.mode == "remove")))
        else:
            user, service = users[n // len(services)], services[n % len(services)]
            gone = job.mode == "remove" or user in stands.revoked or service not in given
            made.append(Row(job.id, n, user, service, gone=int(gone)))
    if not any(row.gone for row in made):
        return made
    others, at = _approved_otherwise(tx, exchange), to_ms(house.clock())
    return [_kept(row, others, at) if row.gone else row for row in made]


def _kept(row: Row, others: dict[str, str], at: int) -> Row:
    """What is to go stays while another exchange needs it: the document while any does."""
    by = next(iter(others.values()), None) if row.service == UE else others.get(row.xui)
    if by is None:
        return row
    return msgspec.structs.replace(
        row, state="unchanged", detail=f"kept: exchange {by} with this partner holds", at=at
    )


def _approved_otherwise(tx: Tx, exchange: Exchange) -> dict[str, str]:
    """Users for whom another exchange with this partner still holds, and which."""
    found: dict[str, str] = {}
    for other in exchanges.live_with(tx, exchange.partner):
        if other.id != exchange.id and own_users.takes(other):
            stands = make_documents.answered(tx, other)
            found |= dict.fromkeys(own_users.held(tx, other, stands), other.id)
    return found

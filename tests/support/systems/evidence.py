"""Evidence of two real systems: what they sealed, shipped and exported, and what its verification says."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from acmx.bootstrap.offline_audit import opened
from acmx.client import Client
from acmx.domain.acm1 import Finding
from acmx.domain.records import SignedCheckpoint
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.trust.checkpoints import Checkpoints
from acmx.trust.journal_check import JournalCheck, Verdict
from support.systems.systems import System, eventually, turns

Systems = tuple[System, System]


async def answered(police: System, fire: System, key: str = "key", **changes: Any) -> str:
    """An exchange that went all its way."""
    _, accepted = await police.submit(key, account="requester", **changes)
    id_: str = accepted["id"]
    await police.reaches(id_, "stored")
    await fire.reaches(id_, "pending")
    assert (await fire.review(id_, account="reviewer"))[0] == 200
    await police.reaches(id_, "answered")
    await police.done("POST", f"/requests/{id_}/retrieval", account="requester")
    await fire.reaches(id_, "delivered")
    return id_


async def evidence(system: System, id_: str) -> Any:
    return await system.done("POST", f"/requests/{id_}/evidence", account="auditor")


def statuses(found: list[Finding]) -> set[str]:
    return {finding.status for finding in found}


def client(system: System) -> Client:
    url = system.url.removesuffix("/acm1/v1")
    return Client(url, "auditor", system.directory / "tls" / "acm1.pem")


def verified(place: Path, *shipped: SignedCheckpoint) -> Verdict:
    with opened(place) as found:
        checkpoints = Checkpoints(found.checkpoints, shipped)
        checking = JournalCheck(checkpoints)
        for row in found.rows:
            checking.take(row)
        return checking.finish(checkpoints.troubles)


async def verified_over_acm1(system: System) -> Verdict:
    def run() -> Verdict:
        with client(system) as calls:
            checking = JournalCheck(Checkpoints(calls.all_checkpoints()))
            for row in calls.all_sealed_rows():
                checking.take(row)
            return checking.finish()

    return await asyncio.to_thread(run)


async def shipped_from(system: System) -> SignedCheckpoint:
    document = await system.done("GET", "/audit/checkpoint", account="operator")
    return msgspec.convert(document, SignedCheckpoint)


async def all_sealed(system: System) -> None:
    await eventually(
        partial(system.rows, "SELECT COUNT(*) FROM journal WHERE number IS NULL"),
        lambda found: found == [(0,)],
    )


def fill(tx: Tx, count: int, event: str = "filler") -> None:
    for n in range(count):
        journal.write(tx, n, event, "tests", n=n)


async def looks(system: System, event: str) -> list[str]:
    await turns()
    found = await system.rows(f"SELECT actor FROM journal WHERE event = '{event}' ORDER BY serial")
    return [actor.partition("@")[0].removeprefix("sip:") for (actor,) in found]

"""One real system, its partners by hand, and what it answers them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from uuid_utils import uuid7

from acmx.domain.messages import PROBLEM
from support.partner.by_hand import Answer, ByHand, pin
from support.systems.systems import System, two_systems


@asynccontextmanager
async def fire_alone(tmp_path: Path) -> AsyncIterator[tuple[System, ByHand, ByHand]]:
    """The fire service with two partners that the test speaks for: the police and the coast guard."""
    async with two_systems(tmp_path, start=False) as (police, fire):
        coast = ByHand.new(tmp_path, fire.clock)
        await pin(fire, coast.own.metadata)
        await fire.start()
        yield fire, ByHand.of(police), coast


@asynccontextmanager
async def police_asking(tmp_path: Path) -> AsyncIterator[tuple[System, ByHand, ByHand, str, bytes]]:
    """The police who have asked the fire service, for which the test speaks; the exchange's id and the request."""
    async with two_systems(tmp_path, start=False) as (police, fire):
        coast = ByHand.new(tmp_path, fire.clock)
        await pin(police, coast.own.metadata)
        await police.start()
        _, accepted = await police.submit()
        found = await police.rows("SELECT body FROM message")
        yield police, ByHand.of(fire), coast, accepted["id"], found[0][0]


def is_refusal(answer: Answer, type_: str, *, final: bool) -> Any:
    """The refusal, which is a signed problem document."""
    document = answer.document
    assert (answer.typ, document["type"]) == ("acm-refusal", PROBLEM + type_), document
    assert (answer.status, document["final"]) == (document["status"], final)
    assert document["title"]
    assert answer.headers["Content-Type"] == "application/problem+json"
    return document


def is_unsigned(answer: Answer, status: int, type_: str) -> None:
    """No word of the partner: it did not reach the one who signs."""
    assert (answer.status, answer.typ, answer.problem) == (status, None, type_)


async def audited(system: System, event: str = "refused") -> list[Any]:
    """The details of these journal rows with their actors, oldest first."""
    found = (await system.done("GET", "/audit", account="auditor"))["items"]
    return [e["detail"] | {"actor": e["actor"]} for e in reversed(found) if e["event"] == event]


async def exchanges(system: System) -> list[Any]:
    return (await system.done("GET", "/requests"))["items"]


ANOTHER = str(uuid7())

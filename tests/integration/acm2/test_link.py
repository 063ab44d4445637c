"""The retry loop (law 6): Retry-After is honoured, and one process at a time sends to a partner."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from acmx.config import endpoint
from acmx.domain.moments import from_ms, to_ms
from acmx.faces.acm2.app import Acm2
from acmx.faces.acm2.peers import Peers
from acmx.faces.listener import Listener
from acmx.flows.people.refusals import Refusals
from acmx.storage.engine import Store
from acmx.storage.partnership import partners
from acmx.storage.partnership.partners import Lease
from acmx.trust import tls
from support.systems import engines
from support.systems.systems import FIRE, START, System, eventually, two_systems

RETRY_AFTER = [(b"retry-after", b"600")]


@asynccontextmanager
async def fire_face(fire: System, *, broken: bool) -> AsyncIterator[Store]:
    """ACM-2 of the fire service, each reply with Retry-After; or a proxy's 503 in its place."""
    store = fire.open_store()
    pair = fire.directory / "tls" / "acm2.pem", fire.directory / "tls" / "acm2.key"
    context = tls.server_context(*pair, pinned=())
    peers = Peers(store, context, lambda _: None)
    await peers.refresh()
    app = Acm2(fire.house, store, fire.own, peers, Refusals(fire.house, store)).app()

    async def dressed(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *RETRY_AFTER]
            await send(message)

        if broken:
            await send({"type": "http.response.start", "status": 503, "headers": RETRY_AFTER})
            await send({"type": "http.response.body", "body": b"maintenance"})
        else:
            await app(scope, receive, send_dressed)

    listener = Listener(dressed, *endpoint(fire.config.acm2.listen), context, lambda *_: None)
    await listener.start()
    try:
        yield store
    finally:
        await listener.stop(0.1)
        await store.close()


async def partner_of(system: System) -> partners.Partner:
    found = await system.store.read(lambda tx: partners.find(tx, FIRE))
    assert found is not None
    return found


def _is_at_rest(partner: partners.Partner) -> bool:
    """What both hold was compared."""
    return partner.compared_at is not None and partner.comparison_due_at is None


async def queued(system: System) -> Any:
    (message,) = (await system.done("GET", "/outbox"))["items"]
    return message


@pytest.mark.law(5, 6)
async def test_a_proxy_that_asks_to_wait_is_waited_for(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire), fire_face(fire, broken=True):
        await police.start()
        partner = await eventually(lambda: partner_of(police), lambda partner: partner.failures)
        assert partner.last_error == "unsigned answer: HTTP 503"
        assert from_ms(partner.next_attempt_at or 0) == START + timedelta(minutes=10)


@pytest.mark.law(6)
async def test_a_signed_refusal_that_asks_to_wait_puts_off_its_own_exchange_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines.nobody_waits(monkeypatch)

    async with (
        two_systems(tmp_path, start=False) as (police, fire),
        fire_face(fire, broken=False),
    ):
        await police.start()
        await eventually(lambda: partner_of(police), _is_at_rest)
        release = engines.hold(fire)
        _, accepted = await police.submit()
        message = await eventually(lambda: queued(police), lambda message: "last_error" in message)
        assert "cannot store anything" in message["last_error"]
        assert message["next_attempt_at"] == "2026-11-23T08:10:00Z"
        assert (await partner_of(police)).failures == 0
        release()
        police.clock.advance(minutes=10)
        await police.nudge(FIRE)
        await police.reaches(accepted["id"], "stored")


@pytest.mark.law(6)
async def test_who_holds_the_lease(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        store = police.open_store()
        now = to_ms(START)

        async def lease(owner: str, at: int) -> int | None:
            return await store.write(lambda tx: partners.lease(tx, Lease(FIRE, owner, at, at + 60_000)))

        assert await lease("one", now) is None
        assert await lease("two", now + 59_999) == now + 60_000
        assert await lease("one", now + 30_000) is None
        assert await lease("two", now + 60_000) == now + 90_000
        assert await lease("two", now + 90_000) is None
        assert await lease("one", now - 10_000) is None, "taken by a clock that was far ahead"
        await store.write(lambda tx: partners.release(tx, "one"))
        assert await lease("two", now) is None
        await store.close()

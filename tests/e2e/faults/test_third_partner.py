"""One failing partner never delays another (law 6): the third system takes every connection and never answers."""

import asyncio
from pathlib import Path

import pytest
from bench.processes import Server
from bench.systems import give_up, partner_of, settings

from acmx.bootstrap.create import create
from acmx.storage.engines.sqlite import SqliteStore
from support.faults.proxy import Proxy
from support.systems.another import another_connection
from support.systems.neighbours import Neighbours, until
from support.systems.systems import befriend

RAIL = "mc.harbour-rail.example"
IN_FLIGHT = 16


@pytest.mark.slow
@pytest.mark.law(6)
def test_a_partner_that_hangs_delays_no_other_and_holds_no_more_than_16_messages(tmp_path: Path) -> None:
    with Proxy() as there, Proxy() as back:
        neighbours = Neighbours(tmp_path, (there, back), pace=120)
        create(tmp_path / "rail", settings(RAIL))
        for one, other in (("police", "rail"), ("rail", "police")):
            asyncio.run(pin(tmp_path / one, tmp_path / other))
        police, fire, rail = neighbours.police, neighbours.fire, Server(tmp_path / "rail")
        try:
            for server in (police, fire, rail):
                server.start()
            for server in (police, fire, rail):
                server.listening()
            until(lambda: neighbours.asker.partner(RAIL).compared_at)
            rail.freeze()
            neighbours.submit(*[1] * (IN_FLIGHT + 4), partner=RAIL)
            until(lambda: tried(police.directory) == IN_FLIGHT)
            answered = neighbours.submit(1, 1, 1)
            until(
                lambda: all(neighbours.asker.exchange(id_).state == "answered" for id_ in answered), within=30
            )
            assert tried(police.directory) == IN_FLIGHT
            assert neighbours.asker.partner(RAIL).waiting == IN_FLIGHT + 4
        finally:
            for server in (police, fire, rail):
                server.kill()


async def pin(directory: Path, partner: Path) -> None:
    store = SqliteStore.open(directory / "acmx.db", on_fatal=give_up)
    await store.write(lambda tx: befriend(tx, partner_of(partner)))
    await store.close()


def tried(directory: Path) -> int:
    """How many of the messages that wait for the third system have been sent."""
    connection = another_connection(directory / "acmx.db")
    try:
        return int(
            connection.execute("SELECT COUNT(*) FROM outbox WHERE attempts > 0 AND partner = ?", (RAIL,)).get
        )
    finally:
        connection.close()

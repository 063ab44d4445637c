"""A partner or a webhook whose address leads back into this machine: nobody connects to it, and people see why."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acmx.bootstrap.targets import reach
from acmx.bootstrap.telling import channels
from acmx.config import Delivery
from acmx.delivery.notices.channel import TargetDown
from acmx.storage.deliveries import Item, Parcel
from support.sinks.sinks import receiver
from support.systems.systems import FIRE, POLICE, System, eventually, two_systems
from support.systems.telling import SECRET, webhook_to


@asynccontextmanager
async def police_and_a_service(
    tmp_path: Path, *, allow_local: bool
) -> AsyncIterator[tuple[System, list[Any]]]:
    """The police, and who has connected to a service of the same machine at the address of the fire service."""
    async with two_systems(tmp_path, start=False) as (police, fire):
        police.config = msgspec.structs.replace(police.config, delivery=Delivery(allow_local=allow_local))
        host, _, port = fire.config.acm2.listen.rpartition(":")
        came: list[Any] = []

        def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.append(writer.get_extra_info("peername"))
            writer.close()

        async with await asyncio.start_server(note, host, int(port)):
            await police.start()
            yield police, came


async def link_has_failed(police: System) -> Any:
    return await eventually(
        lambda: police.done("GET", f"/partners/{FIRE}"), lambda partner: "last_error" in partner
    )


async def test_a_link_does_not_connect_to_a_local_address(tmp_path: Path) -> None:
    async with police_and_a_service(tmp_path, allow_local=False) as (police, came):
        await police.submit()
        assert "allow_local" in (await link_has_failed(police))["last_error"]
        assert came == []


async def test_a_check_of_a_partner_does_not_connect_to_a_local_address(tmp_path: Path) -> None:
    async with police_and_a_service(tmp_path, allow_local=False) as (police, came):
        found = (await police.done("POST", f"/partners/{FIRE}/check"))["items"]
        connection = next(finding for finding in found if finding["name"] == "connection")
        assert connection["status"] == "failed"
        assert "allow_local" in connection["text"]
        assert came == []


async def test_a_link_connects_to_a_local_address_where_the_configuration_allows_it(tmp_path: Path) -> None:
    async with police_and_a_service(tmp_path, allow_local=True) as (police, came):
        await link_has_failed(police)
        assert came


async def test_a_webhook_is_not_sent_to_a_local_address(tmp_path: Path) -> None:
    parcel = Parcel("p", "c", "r", 1, [Item(0, "response", "asker", POLICE, "x", FIRE, "normal", None)])

    async with two_systems(tmp_path, start=False) as (police, _), receiver() as hook:
        webhook = msgspec.structs.replace(webhook_to(hook.url), secret_file="hook")
        (police.directory / "hook").write_bytes(SECRET)
        config = msgspec.structs.replace(police.config, webhooks=(webhook,), delivery=Delivery())
        (channel,) = channels(police.directory, config, police.clock)
        with pytest.raises(TargetDown):
            await channel.deliver(parcel)
        (finding,) = await reach(police.directory, config)
        assert (finding.status, "allow_local" in finding.text) == ("failed", True)
        assert hook.bodies == []
        allowed = msgspec.structs.replace(config, delivery=Delivery(allow_local=True))
        (channel,) = channels(police.directory, allowed, police.clock)
        await channel.deliver(parcel)
        assert len(hook.bodies) == 1

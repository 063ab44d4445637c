"""Two real systems, each behind the real HAProxy with the configuration that is shipped."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from acmx.cli.demo.ports import reserve_port
from acmx.config import endpoint
from support.systems.haproxy import configuration, haproxy, needs_haproxy
from support.systems.systems import System, eventually, two_systems

pytestmark = needs_haproxy
PROXY = ("127.0.0.1",)


class Behind(System):
    """A system whose clients and partners meet HAProxy at the addresses that they know."""

    def __init__(self, system: System) -> None:
        super().__init__(system.directory, system.clock)
        acm1, acm2 = self.config.acm1, self.config.acm2
        self.fronts = endpoint(acm1.listen)[1], endpoint(acm2.listen)[1]
        self.backs = reserve_port(), reserve_port()
        replace = msgspec.structs.replace
        self.config = replace(
            self.config,
            acm1=replace(acm1, listen=f"127.0.0.1:{self.backs[0]}", proxies=PROXY),
            acm2=replace(acm2, listen=f"127.0.0.1:{self.backs[1]}", proxies=PROXY),
        )

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.fronts[0]}/acm1/v1"

    async def ready(self) -> None:
        """HAProxy has seen that it is."""

        async def status() -> int:
            with suppress(aiohttp.ClientError):
                async with self.http.get(self.url + "/") as reply:
                    return reply.status
            return 0

        await eventually(status, lambda found: found == 200, within=60)


@asynccontextmanager
async def behind(tmp_path: Path) -> AsyncIterator[tuple[Behind, Behind]]:
    async with two_systems(tmp_path, start=False) as systems:
        police, fire = map(Behind, systems)
        with ExitStack() as stack:
            for system in (police, fire):
                folder = tmp_path / f"{system.directory.name}-haproxy"
                path = configuration(
                    folder, system.directory / "tls", fronts=system.fronts, backs=system.backs
                )
                stack.enter_context(haproxy(path))
                await system.start()
            try:
                await police.ready()
                await fire.ready()
                yield police, fire
            finally:
                await police.stop()
                await fire.stop()


def test_the_configuration_is_sound(tmp_path: Path) -> None:
    async def scenario() -> Path:
        async with two_systems(tmp_path, start=False) as (police, _):
            tls = police.directory / "tls"
            return configuration(tmp_path / "haproxy", tls, fronts=(1, 2), backs=(3, 4))

    checked = subprocess.run(
        ["haproxy", "-c", "-f", asyncio.run(scenario())], check=False, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr


async def test_an_exchange_and_its_notifications_pass(tmp_path: Path) -> None:
    async with behind(tmp_path) as (police, fire):
        headers = {"Authorization": "Bearer admin"}
        async with fire.http.get(fire.url + "/notifications", headers=headers) as stream:
            assert stream.headers["content-type"] == "text/event-stream"
            await hint(stream.content)
            _, accepted = await police.submit()
            await police.reaches(accepted["id"], "stored")
            await hint(stream.content)
        await fire.review(accepted["id"])
        await police.reaches(accepted["id"], "answered")


async def hint(stream: aiohttp.StreamReader) -> None:
    """Wait for the next one, whatever keeps the stream open meanwhile."""
    async with asyncio.timeout(60):
        while await stream.readuntil(b"\n\n") == b": still here\n\n":
            pass


async def log_on(system: Behind, source: str) -> int:
    """A wrong password, from this address."""
    tls = ssl.create_default_context(cafile=system.directory / "tls" / "acm1.pem")
    tls.check_hostname = False
    connector = aiohttp.TCPConnector(ssl=tls, local_addr=(source, 0))
    wrong = {"account": "admin", "password": "is not the password"}
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.post(system.url + "/sessions", json=wrong) as reply,
    ):
        return reply.status


async def test_who_guesses_passwords_waits_and_others_do_not(tmp_path: Path) -> None:
    async with behind(tmp_path) as (police, _):
        assert [await log_on(police, "127.0.0.7") for _ in range(6)] == [401] * 5 + [429]
        assert await log_on(police, "127.0.0.8") == 401


async def test_at_acm_2_the_certificate_is_seen_and_who_has_none_is_named_by_address(tmp_path: Path) -> None:
    async with behind(tmp_path) as (police, fire):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", police.fronts[1], ssl=context, local_addr=("127.0.0.9", 0)
        )
        assert await reader.read() == b""
        writer.close()

        async def refused() -> Any:
            found = await police.rows("SELECT detail FROM journal WHERE event = 'refused'")
            return [detail for (row,) in found if (detail := msgspec.json.decode(row))]

        assert await eventually(refused, bool) == [
            {"address": "127.0.0.9", "type": "peer did not return a certificate"}
        ]
        certificates = fire.directory / "tls" / "acm2.pem", fire.directory / "tls" / "acm2.key"
        context.load_cert_chain(*certificates)
        metadata = f"https://127.0.0.1:{police.fronts[1]}/acm2/v1/metadata"
        async with police.http.get(metadata, ssl=context) as reply:
            assert reply.status == 200
            assert "ACM-Signature" in reply.headers


async def test_nobody_goes_past_the_proxy(tmp_path: Path) -> None:
    async with behind(tmp_path) as (police, _):
        for port in police.backs:
            try:
                async with police.http.get(f"https://127.0.0.1:{port}/") as reply:
                    raise AssertionError(reply.status)
            except aiohttp.ClientConnectionError:
                continue


async def test_a_server_that_is_away_comes_back(tmp_path: Path) -> None:
    async with behind(tmp_path) as (police, fire):
        await fire.restart()
        await fire.ready()
        _, accepted = await police.submit()
        await police.reaches(accepted["id"], "stored")

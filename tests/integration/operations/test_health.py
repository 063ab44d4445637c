"""Liveness and readiness for whoever keeps the server running, and the details for operators."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from bench.postgres_proxy import Fault, PostgresProxy
from structlog.testing import capture_logs

from acmx.delivery import supervisor
from acmx.domain.messages import PROBLEM
from acmx.faces.proxied import LOCAL, PREAMBLE
from acmx.trust.certificates import self_signed
from support.systems import engines
from support.systems.systems import FIRE, System, eventually, two_systems
from support.systems.telling import SECRET, mail_to, webhook_to


async def asked(system: System, probe: str) -> tuple[int, Any]:
    url = f"https://127.0.0.1:{system.server.ports[0]}/health/{probe}"
    async with system.http.get(url) as reply:
        return reply.status, await reply.json()


def tells(system: System) -> None:
    """By mail and by a webhook that nobody receives."""
    (system.directory / "hook").write_bytes(SECRET)
    webhook = msgspec.structs.replace(webhook_to("http://127.0.0.1:1"), secret_file="hook")
    system.config = msgspec.structs.replace(system.config, mail=mail_to(1), webhooks=(webhook,))


async def test_a_server_that_is_well_says_so_to_strangers_without_details(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        tells(police)
        await police.start()
        for probe in ("live", "ready"):
            assert await asked(police, probe) == (200, {"ok": True, "failing": []})
        found = await police.done("GET", "/health", account="auditor")
        parts = {(part["name"], part.get("of"), part["ok"]) for part in found["components"]}
        assert parts == {
            ("delivery", FIRE, True),
            ("messenger", "mail", True),
            ("messenger", "webhook:dispatch", True),
            ("clockwork", None, True),
            ("notifications", None, True),
            ("partners", None, True),
            ("renewal", None, True),
            ("expiry", None, True),
            ("sealer", None, True),
            ("writer", None, True),
            ("journal", None, True),
            ("refusals", None, True),
            ("certificates", None, True),
        }
        assert (await police.call("GET", "/health", account="requester"))[0] == 403


@pytest.mark.parametrize(
    "name", ["delivery", "messenger", "clockwork", "notifications", "partners", "writer"]
)
async def test_it_goes_red_when_a_part_is_dead(name: str, tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        tells(police)
        await police.start()
        (task,) = [task for task in asyncio.all_tasks() if task.get_name().startswith(f"acmx-{name}")][:1]
        task.cancel()
        await asyncio.wait([task])
        for probe in ("live", "ready"):
            assert await asked(police, probe) == (503, {"ok": False, "failing": [name]})


async def test_a_writer_that_cannot_write_is_not_ready_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines.nobody_waits(monkeypatch)
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", timedelta(milliseconds=20))
    monkeypatch.setattr("acmx.bootstrap.vitals.EVERY", 0.02)

    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        release = engines.hold(police)
        status, document = await eventually(lambda: asked(police, "ready"), lambda answer: answer[0] == 503)
        assert "writer" in document["failing"]
        assert (await asked(police, "live"))[0] == 200
        found = await police.done("GET", "/health")
        assert "Another process holds the database." in str(found["components"])
        release()
        await eventually(lambda: asked(police, "ready"), lambda answer: answer[0] == 200)
        assert status == 503


@pytest.mark.law(1)
@pytest.mark.postgres
async def test_a_database_that_is_away_makes_it_not_ready_and_it_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", timedelta(milliseconds=20))
    monkeypatch.setattr("acmx.bootstrap.vitals.EVERY", 0.02)

    async with two_systems(tmp_path, start=False) as (police, fire):
        with PostgresProxy(police.config.database) as proxy:
            direct = police.config
            police.config = msgspec.structs.replace(direct, database=proxy.url)
            await police.start()
            await fire.start()
            _, before = await police.submit("before")
            await police.reaches(before["id"], "stored")
            with capture_logs() as said:
                proxy.go_away()
                await eventually(lambda: asked(police, "ready"), lambda answer: answer[0] == 503)
                assert (await asked(police, "live"))[0] == 200
                for n in range(5):
                    status, problem = await police.submit(f"meanwhile {n}")
                    assert (status, problem["type"]) == (503, f"{PROBLEM}unavailable")
                proxy.fault = Fault.NONE
                await eventually(lambda: asked(police, "ready"), lambda answer: answer[0] == 200)
            told = [(line.get("component"), line["error"]) for line in said if "begun again" in line["event"]]
            assert len(told) == len(set(told)) > 0, "each part once"
            assert not [line for line in said if line.get("exc_info")]
            assert not [record for record in caplog.records if record.exc_info]
            _, after = await police.submit("meanwhile")
            await police.reaches(after["id"], "stored")
            assert (await police.counts("exchange"))["exchange"] == 2
            await police.stop()
            police.config = direct


def put(system: System, face: str, days: int) -> None:
    """A certificate that begins now."""
    pair = self_signed(system.id, ["127.0.0.1"], now=system.clock(), days=days)
    for suffix, content in zip(("pem", "key"), pair, strict=True):
        (system.directory / "tls" / f"{face}.{suffix}").write_bytes(content)


@pytest.mark.parametrize("face", ["acm1", "acm2"])
async def test_a_certificate_that_has_ended_makes_it_not_ready(tmp_path: Path, face: str) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        for name in ("acm1", "acm2"):
            put(police, name, 400 if name == face else 4000)
        await police.start()
        police.clock.advance(days=400)
        status, document = await asked(police, "ready")
        assert (status, document["failing"]) == (200, [])
        police.clock.advance(seconds=1)
        status, document = await asked(police, "ready")
        assert (status, document["failing"]) == (503, ["certificates"])
        assert (await asked(police, "live"))[0] == 200
        health = await police.done("GET", "/health")
        (part,) = [part for part in health["components"] if not part["ok"]]
        assert part["trouble"].startswith(f"{face} certificate has ended on 2027-12-28")
        assert not health["ok"]


async def test_a_certificate_that_nobody_is_shown_may_end(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        put(police, "acm2", 4000)
        acm1 = msgspec.structs.replace(police.config.acm1, tls=False, proxies=("127.0.0.1",))
        police.config = msgspec.structs.replace(police.config, acm1=acm1)
        await police.start()
        police.clock.advance(days=3000)
        reader, writer = await asyncio.open_connection("127.0.0.1", police.server.ports[0])
        writer.write(PREAMBLE + bytes([LOCAL, 0, 0, 0]) + b"GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"strict-transport-security" not in answer.lower(), "the proxy speaks TLS"

"""No password, token or private key leaves its place: not in logs, replies, journal, database, metrics or traces."""

import ast
import asyncio
import logging
import re
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import structlog

from acmx.config import Delivery, Metrics, Traces
from acmx.telemetry import traces
from support.sinks.otlp import collector
from support.systems import engines
from support.systems.systems import FIRE, System, turns, two_systems

PASSWORD = "Swordfish-4711-swordfish"
WRONG = "Herring-1147-herring"
SOURCES = Path(__file__).parents[3] / "src" / "acmx"


def private_halves(system: System) -> set[str]:
    """Of its keys, as they would be seen in JSON and in PEM."""
    found = {system.own.key.okp.as_dict(private=True)["d"]}
    for path in (*(system.directory / "keys").glob("*.pem"), *(system.directory / "tls").glob("*.key")):
        lines = [line for line in path.read_text().splitlines() if not line.startswith("-")]
        found.add(lines[-2] if len(lines) > 2 else lines[0])
    return found


async def lived(police: System, fire: System) -> tuple[list[Any], set[str]]:
    """Log-ons, a request, a decision and everything that can be refused; what was said, and the secrets in it."""
    said: list[Any] = []

    async def call(system: System, *line: Any, account: str | None = "admin", **headers: str) -> Any:
        said.append((await system.call(*line, account=account, **headers))[1])
        return said[-1]

    account = {"name": "eve", "mc_service_id": f"sip:eve@{police.id}", "roles": ["requester"]}
    await call(police, "POST", "/accounts", account | {"password": PASSWORD})
    await call(police, "POST", "/accounts", account | {"password": PASSWORD, "colour": PASSWORD[:5]})
    await call(police, "POST", "/sessions", {"account": "eve", "password": WRONG}, account=None)
    await call(police, "POST", "/sessions", {"account": "nobody", "password": WRONG}, account=None)
    session = await police.done("POST", "/sessions", {"account": "eve", "password": PASSWORD})
    token = str(session["token"])
    await call(police, "GET", "/audit", account=token)
    await call(police, "GET", "/requests?limit=x", account=token)
    await call(police, "GET", "/requests", account=token + "x")
    _, accepted = await police.submit(account=token)
    await police.reaches(accepted["id"], "stored")
    await fire.review(accepted["id"])
    await police.reaches(accepted["id"], "answered")
    await call(police, "POST", f"/requests/{accepted['id']}/retrieval", account=token)
    for system in (police, fire):
        for path in ("/audit?limit=1000", "/accounts", "/partners", "/health", "/notices", "/policy"):
            await call(system, "GET", path)
    await call(police, "GET", "/partner-file")
    await call(police, "POST", f"/partners/{FIRE}/check")
    return said, {PASSWORD, WRONG, token, token + "x"}


async def scraped(system: System) -> str:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{system.server.metrics_port}/metrics") as reply,
    ):
        return await reply.text()


def test_no_secret_is_logged_replied_journalled_or_stored(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traces, "FLUSH_SECONDS", 60)
    caplog.set_level(logging.DEBUG)
    structlog.reset_defaults()

    async def scenario() -> tuple[list[Any], set[str], set[str], bytes]:
        async with two_systems(tmp_path, start=False) as (police, fire), collector() as traced:
            for system in (police, fire):
                system.config = msgspec.structs.replace(
                    system.config,
                    delivery=Delivery(0.2, 0.5, True),
                    metrics=Metrics("127.0.0.1:0"),
                    traces=Traces(traced.url),
                )
                await system.start()
            said, secrets = await lived(police, fire)
            said += [await scraped(police), await scraped(fire)]
            stored = [engines.stored(s, await s.store.read(engines.tables)) for s in (police, fire)]
            await fire.stop()
            await police.submit("late")
            await turns()
            await police.stop()
            assert traced.spans
            said.append(b"".join(traced.bodies).decode(errors="replace"))
            return said, secrets, private_halves(police) | private_halves(fire), b"".join(stored)

    said, secrets, keys, stored = asyncio.run(scenario())
    printed = capfd.readouterr()
    assert len(stored) > 30_000
    assert caplog.records
    for secret in (*secrets, *keys):
        assert secret not in caplog.text
        assert secret not in printed.out + printed.err
        assert secret not in str(said)
        assert secret.encode() not in stored


def test_nothing_secret_is_compared_with_an_equals_sign() -> None:
    """Its time would tell how much was right: what is secret is looked up by its hash, or verified by its library."""
    secret = re.compile(r"secret|password|token|mac\b|signature|key_?hash", re.IGNORECASE)
    found = []
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                sides = [node.left, *node.comparators]
                names = [ast.unparse(s) for s in sides if not isinstance(s, ast.Constant)]
                if len(names) == len(sides) and any(secret.search(name) for name in names):
                    found.append(f"{path.relative_to(SOURCES)}: {ast.unparse(node)}")
    assert found == []

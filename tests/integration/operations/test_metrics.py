"""What an operator pages on, read as Prometheus reads it."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from acmx.config import Metrics
from acmx.domain.moments import to_ms
from acmx.flows.operations import suspend_expiry
from acmx.storage.clock_holds import ClockHold
from support.systems.systems import FIRE, System, Two, eventually, two_systems

ROOT = Path(__file__).parents[3]
Samples = dict[str, dict[tuple[str, ...], float]]


def watched(system: System) -> None:
    system.config = msgspec.structs.replace(system.config, metrics=Metrics("127.0.0.1:0"))


@asynccontextmanager
async def two_watched(tmp_path: Path) -> AsyncIterator[tuple[System, System]]:
    async with two_systems(tmp_path, start=False) as (police, fire):
        watched(police)
        watched(fire)
        await police.start()
        await fire.start()
        yield police, fire


async def page(system: System) -> str:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{system.server.metrics_port}/metrics") as reply,
    ):
        assert reply.status == 200
        assert reply.content_type == "text/plain"
        return await reply.text()


async def scrape(system: System) -> Samples:
    """The value of each sample by its name and the values of its labels, these in the order of their names."""
    found: Samples = {}
    for family in text_string_to_metric_families(await page(system)):
        assert family.documentation, family.name
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


async def test_what_waits_for_a_partner_and_since_when(tmp_path: Path) -> None:
    async with two_watched(tmp_path) as (police, fire):
        before = await scrape(police)
        assert before["acmx_queue_messages"] == {(FIRE,): 0}
        assert before["acmx_queue_oldest_seconds"] == {(FIRE,): 0}
        await fire.stop()
        begun = police.clock()
        await police.submit("one")
        await police.submit("two")
        police.clock.advance(minutes=10)
        now = await scrape(police)
        passed = (police.clock() - begun).total_seconds()
        assert now["acmx_queue_messages"] == {(FIRE,): 2}
        assert now["acmx_queue_given_up"] == {(FIRE,): 0}
        assert now["acmx_queue_oldest_seconds"] == {(FIRE,): passed}
        await police.store.write(lambda tx: tx.execute("UPDATE outbox SET gave_up_at = 1 WHERE serial = 1"))
        assert (await scrape(police))["acmx_queue_given_up"] == {(FIRE,): 1}


async def test_what_waits_for_a_decision_and_since_when(tmp_path: Path) -> None:
    async with two_watched(tmp_path) as (police, fire):
        assert (await scrape(fire))["acmx_pending_oldest_seconds"] == {(): 0}
        begun = fire.clock()
        _, accepted = await police.submit()
        await police.reaches(accepted["id"], "stored")
        fire.clock.advance(hours=3)
        now = await scrape(fire)
        passed = (fire.clock() - begun).total_seconds()
        assert now["acmx_pending_requests"] == {(): 1}
        assert passed - 60 <= now["acmx_pending_oldest_seconds"][()] <= passed
        assert (await scrape(police))["acmx_pending_requests"] == {(): 0}


async def test_refusals_are_counted_by_their_type_on_both_sides(tmp_path: Path) -> None:
    async with two_watched(tmp_path) as (police, fire):
        assert (await police.call("GET", "/audit", account="requester"))[0] == 403
        assert (await police.call("GET", "/audit", account="nobody"))[0] == 401
        assert (await police.call("GET", "/nowhere"))[0] == 404
        assert (await scrape(police))["acmx_refusals_sent_total"] == {
            ("acm1", "not-allowed"): 1,
            ("acm1", "not-authenticated"): 1,
            ("acm1", "not-found"): 1,
        }
        await fire.store.write(
            lambda tx: tx.execute("UPDATE terms SET max_open = 0, max_users = 1, max_per_hour = 0")
        )
        _, accepted = await police.submit()
        await police.reaches(accepted["id"], "refused_by_partner")
        assert set((await scrape(fire))["acmx_refusals_sent_total"]) == {("acm2", "too-many-users")}
        assert set((await scrape(police))["acmx_refusals_received_total"]) == {(FIRE, "too-many-users")}


async def test_who_never_gets_as_far_as_http_is_counted(tmp_path: Path) -> None:
    async with two_watched(tmp_path) as (police, _):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        reader, writer = await asyncio.open_connection("127.0.0.1", police.server.ports[1], ssl=context)
        await reader.read()
        writer.close()
        counted = await eventually(
            lambda: scrape(police), lambda now: "acmx_connections_refused_total" in now
        )
        assert counted["acmx_connections_refused_total"] == {("acm2", "peer did not return a certificate"): 1}


async def test_every_commit_is_measured(tmp_path: Path) -> None:
    async with two_watched(tmp_path) as (police, fire):
        await fire.stop()
        await eventually(lambda: police.rows("SELECT failures FROM partner"), lambda found: found[0][0] > 0)
        before = await scrape(police)
        await asyncio.gather(*(police.submit(f"key {n}") for n in range(20)))
        now = await scrape(police)

        def more(name: str) -> float:
            return now[name][()] - before[name][()]

        assert more("acmx_commit_plans_sum") == more("acmx_commit_seconds_count") >= 20
        assert more("acmx_commit_seconds_sum") > 0


async def test_certificates_streams_parts_clock_and_journal(tmp_path: Path) -> None:
    async with two_watched(tmp_path) as (police, _):
        headers = {"Authorization": "Bearer requester"}
        async with police.http.get(police.url + "/notifications", headers=headers) as stream:
            await stream.content.readline()
            assert (await scrape(police))["acmx_sse_clients"] == {(): 1}
        await eventually(lambda: scrape(police), lambda now: now["acmx_sse_clients"] == {(): 0})
        now = await eventually(
            lambda: scrape(police), lambda now: now["acmx_journal_unsealed_rows"] == {(): 0}
        )
        ((rows,),) = await police.rows("SELECT COUNT(*) FROM journal")
        assert now["acmx_journal_rows"] == {(): rows}
        days = now["acmx_certificate_days"]
        assert set(days) == {("acm1 certificate",), ("acm2 certificate",), (f"certificate of {FIRE}",)}
        assert all(300 < left < 4000 for left in days.values())
        assert now["acmx_clock_held"] == {(): 0}
        assert now["acmx_part_up"]["", "clockwork"] == now["acmx_part_up"][FIRE, "delivery"] == 1
        assert now["process_resident_memory_bytes"][()] > 1_000_000
        at = to_ms(police.clock())
        await police.store.write(lambda tx: suspend_expiry.hold(tx, ClockHold("a clock", at, "tests")))
        (sealer,) = (loop for loop in police.server._supervisor.loops if loop.component == "sealer")
        sealer.task.cancel()
        await asyncio.wait([sealer.task])
        await police.call("GET", "/audit", account="nobody")
        now = await scrape(police)
        assert now["acmx_clock_held"] == {(): 1}
        assert now["acmx_part_up"]["", "sealer"] == 0
        assert now["acmx_journal_unsealed_rows"][()] >= 1
        police.clock.advance(seconds=90)
        assert (await scrape(police))["acmx_journal_unsealed_seconds"][()] >= 90


@pytest.mark.parametrize("file", ["docs/operations.md", "deploy/alerts.yml"])
def test_what_is_paged_on_is_there(tmp_path: Path, file: str) -> None:
    async def scenario() -> str:
        async with two_watched(tmp_path) as (police, _):
            return await page(police)

    there = set(re.findall(r"^# TYPE (\w+) ", asyncio.run(scenario()), re.MULTILINE))
    there |= {f"{name}_bucket" for name in there}
    named = set(re.findall(r"\b(?:acmx_[a-z]+_\w+|acmx_info|process_\w+)", (ROOT / file).read_text()))
    assert len(named) > 9
    assert named - there == set()


async def test_nothing_listens_and_nothing_is_wrapped_unless_configured(systems: Two) -> None:
    police, _ = systems
    assert police.server.metrics_port is None
    assert police.server._store is police.store
    async with police.http.get(f"https://127.0.0.1:{police.server.ports[0]}/metrics") as reply:
        assert reply.status == 404

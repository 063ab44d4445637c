"""A standby that lags is promoted: every server notices by itself, asks the partners, and names what is lost."""

import asyncio
import time
import tomllib
from itertools import count

import pytest
from bench import agreement

from acmx.storage.engines import transfer
from support.sinks.streams import hint, stream
from support.systems.estate import AT_ONCE, estate
from support.systems.restores import compared
from support.systems.systems import EXAMPLES, FIRE, POLICE, eventually

pytestmark = pytest.mark.postgres
lagging = pytest.mark.parametrize("pair", ["asynchronous"], indirect=True)
either = pytest.mark.parametrize("pair", ["synchronous", "asynchronous"], indirect=True)
CHANGED = "SELECT serial FROM journal WHERE event = 'database-changed' ORDER BY serial"
GONE = "SELECT id FROM journal WHERE event = 'acknowledged-and-gone'"


async def _accepted(system, key, **changes):
    """The id, once it is acknowledged."""
    _, accepted = await eventually(lambda: system.submit(key, **changes), lambda said: said[0] in (200, 201))
    return accepted["id"]


@lagging
@pytest.mark.law(1, 8)
async def test_it_is_noticed_at_once_on_a_quiet_system_and_what_the_partner_holds_is_back(pair, tmp_path):
    async with estate(pair, tmp_path, servers=2) as (police, twin, fire):
        known = await _accepted(police, "known")
        await police.reaches(known, "stored")
        await fire.reaches(known, "pending")
        pair.hold()
        there = await _accepted(twin, "there")
        await twin.reaches(there, "stored")
        await fire.reaches(there, "pending")
        await fire.stop()
        gone = await _accepted(police, "gone")
        pair.fail_over()
        begun = time.monotonic()
        named = await eventually(
            lambda: {id_ for (id_,) in pair.primary.ask(GONE)},
            lambda ids: ids >= {there, gone},
            within=AT_ONCE,
            time_passes=False,
        )
        assert (time.monotonic() - begun < AT_ONCE, named) == (True, {there, gone})
        for server in (police, twin):
            assert "comparison_due" in await server.done("GET", f"/partners/{FIRE}")
        told = (await police.done("GET", "/notices"))["items"]
        assert "operators" in {n["audience"] for n in told if n["event"] == "database-changed"}

        await fire.start()
        at = (await compared(police, FIRE))["compared_at"]
        await police.reaches(there, "stored")
        assert (await twin.call("GET", f"/requests/{gone}"))[0] == 404
        assert {e["id"]: e["state"] for e in (await fire.done("GET", "/requests"))["items"]} == {
            known: "pending",
            there: "pending",
        }
        for id_ in (known, there):
            assert (await fire.review(id_))[0] == 200
            await twin.reaches(id_, "answered")
        assert (await compared(twin, FIRE))["compared_at"] == at, "once for the database"


@lagging
@pytest.mark.law(10)
async def test_it_is_noticed_before_any_write_and_no_number_that_is_given_again_is_taken_for_the_old_one(
    pair, tmp_path
):
    async with estate(pair, tmp_path, servers=2) as (police, twin, fire):
        catalogue = tomllib.loads((EXAMPLES / "catalogues" / "county-fire.toml").read_text())
        given = {"server_identity": catalogue | {"mc_system_id": POLICE}}
        await police.done("PUT", "/server-identities", given)
        pair.hold()
        lost = await police.done("PUT", "/policy", _policy("lost"))
        assert await _rule_that_decided(fire, police, "one") == "lost"
        pair.fail_over()
        next_ = [await _accepted(server, f"next {n}") for server in (police, twin) for n in range(2)]
        [(changed,), *_] = await police.rows(CHANGED)
        written = dict(await police.rows("SELECT id, MIN(serial) FROM journal GROUP BY id"))
        assert all(changed < written[id_] for id_ in next_)
        again = await twin.done("PUT", "/policy", _policy("anew"))
        assert again["version"] == lost["version"], "the number is given again"
        assert await _rule_that_decided(fire, police, "two") == "anew"


@lagging
@pytest.mark.law(1)
async def test_a_server_that_was_down_meanwhile_starts_at_once_and_names_what_it_had_acknowledged(
    pair, tmp_path
):
    async with estate(pair, tmp_path) as (police, _fire):
        pair.hold()
        await _accepted(police, "gone")
        await police.stop()
        pair.fail_over()
        await police.start()
        [_] = await police.rows(CHANGED)
        await _accepted(police, "next")
        await police.restart()
        [_] = await police.rows(CHANGED)


@lagging
@pytest.mark.law(12)
async def test_what_servers_remember_of_a_partner_goes_with_the_history_and_the_partner_is_told_what_holds(
    pair, tmp_path
):
    async with estate(pair, tmp_path, servers=2) as (police, twin, fire):
        pair.hold()
        await police.done("POST", f"/partners/{FIRE}/suspension", {})
        await _shows(fire, POLICE, state_there="suspended")
        await _shows(twin, FIRE, state_here="suspended")
        pair.fail_over()
        for server in (police, twin):
            await _shows(server, FIRE, state_here="accepted")
        await _shows(fire, POLICE, state_there="accepted")
        accepted = await _accepted(fire, "key", partner=POLICE, users=[f"sip:medic@{FIRE}"])
        await fire.reaches(accepted, "stored")


@lagging
@pytest.mark.law(8)
async def test_whoever_listens_for_news_misses_none_that_comes_after_it(pair, tmp_path):
    """Neither by a stream that was open, nor by a page of what the new history does not hold."""

    async with estate(pair, tmp_path, servers=2) as (police, twin, fire):
        pair.hold()
        for n in range(3):
            lost = await _accepted(police, f"lost {n}")
            await police.reaches(lost, "stored")
            await fire.review(lost)
            await police.reaches(lost, "answered")
        before = (await police.done("GET", "/notices"))["items"]
        beyond = before[0]["serial"] + 1
        async with stream(police, "operator") as here, stream(twin, "operator") as there:
            for open_ in (here, there):
                assert await open_.block() == hint(police, "operator")
            pair.fail_over()
            await _hears(police, here)
            await _hears(twin, there)
            news = (await twin.done("GET", "/news", account="operator"))["items"]
            assert news[0]["event"] == "database-changed"
        after = (await police.done("GET", f"/notices?after={beyond + 100}"))["items"]
        assert "database-changed" in {notice["event"] for notice in after}
        assert after[0]["serial"] == (await twin.done("GET", "/notices"))["items"][0]["serial"]


async def _hears(system, open_):
    """That it is to look again; a stream that could not be vouched for meanwhile ends, and begins with that."""
    try:
        while await open_.block() != hint(system, "operator"):
            pass
    except asyncio.IncompleteReadError:
        await eventually(lambda: _hinted_anew(system), bool)


async def _hinted_anew(system):
    async with stream(system, "operator") as anew:
        return await anew.block() == hint(system, "operator")


async def _shows(system, partner, **standing):
    await eventually(
        lambda: system.call("GET", f"/partners/{partner}"), lambda said: standing.items() <= said[1].items()
    )


def _policy(rule):
    """Approves what the fire service asks for."""
    return {
        "text": f'@id("{rule}") permit (principal == MCSystem::"{FIRE}", action == Action::"approve", '
        'resource == Kind::"server-identity");'
    }


async def _rule_that_decided(asker, partner, key):
    """The name of the rule of the partner by which it has decided a new request."""
    id_ = await _accepted(asker, key, partner=POLICE, users=[f"sip:medic@{FIRE}"])
    await asker.reaches(id_, "answered")
    [(rule,)] = await partner.rows(f"SELECT rule FROM exchange WHERE id = '{id_}'")
    return rule


@either
@pytest.mark.slow
@pytest.mark.law(1, 3)
async def test_under_load_nothing_is_lost_unnamed_and_nothing_is_there_twice(pair, tmp_path):
    acknowledged = []
    stop = asyncio.Event()

    async def people(server, name):
        for n in count():
            if stop.is_set():
                return
            acknowledged.append(await _accepted(server, f"{name} {n}"))

    async with estate(pair, tmp_path, servers=2) as (police, twin, fire):
        busy = [asyncio.create_task(people(s, n)) for n, s in enumerate((police, twin, police, twin))]

        async def more(number):
            wanted = len(acknowledged) + number
            await eventually(lambda: len(acknowledged), lambda found: found >= wanted, within=60)

        await more(12)
        await asyncio.to_thread(pair.hold)
        if not pair.synchronous:
            await more(12)
        await asyncio.to_thread(pair.fail_over)
        await more(12)
        stop.set()
        await asyncio.gather(*busy)
        await compared(police, FIRE)
        for system in (police, fire):
            await eventually(system.counts, lambda found: found["outbox"] == 0, within=60)
        named = {id_ for (id_,) in await police.rows(GONE)}
    lost = set(acknowledged) - {id_ for (id_,) in pair.primary.ask("SELECT id FROM exchange")}
    assert lost <= (set() if pair.synchronous else named)
    transfer.to_file(pair.primary.url, police.directory / "acmx.db")
    kept = [id_ for id_ in acknowledged if id_ not in lost]
    forgetful = not pair.synchronous
    assert agreement.disagreements(police.directory, fire.directory, kept, forgetful=forgetful) == []

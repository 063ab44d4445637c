"""The sealed journal, checkpoints, the evidence of an exchange: made by two real systems, verified by strangers."""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import engines
from acmx.bootstrap.backup import backup
from acmx.bootstrap.doctor import examine
from acmx.bootstrap.offline_audit import opened
from acmx.client import Client
from acmx.delivery.sealer import Sealer
from acmx.domain.acm1 import Finding
from acmx.domain.errors import AcmxError
from acmx.domain.records import SignedCheckpoint
from acmx.flows import receive, seal
from acmx.flows.arrivals import Arrived
from acmx.flows.prove import Prover
from acmx.storage import journal, partners, seals
from acmx.storage.engine import Tx
from acmx.trust.checkpoints import Checkpoints
from acmx.trust.evidence_check import check
from acmx.trust.journal_check import JournalCheck, Verdict
from acmx.trust.keys import SigningKey
from acmx.trust.signatures import body_digest
from acmx.trust.tree import joined, peaks_of, proven_root
from systems import FIRE, POLICE, System, eventually, two_systems

DOCS = Path(__file__).parents[2] / "docs"
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


# Sealing.


def test_every_row_is_sealed_within_the_second_and_signed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await answered(police, fire)
            for system in (police, fire):
                await all_sealed(system)
                rows = await system.rows("SELECT serial, number, length(hash) FROM journal ORDER BY serial")
                assert [(number, length) for _, number, length in rows] == [
                    (n, 32) for n in range(1, len(rows) + 1)
                ]
                before = await looks(system, "journal-exported")
                verdict = await verified_over_acm1(system)
                assert await looks(system, "journal-exported") == [*before, "auditor"]
                assert (verdict.troubles, verdict.rows >= len(rows)) == ((), True)

    asyncio.run(scenario())


def test_two_sealers_do_no_harm(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, _):
            await asyncio.gather(
                *(police.store.write(partial(fill, count=150)) for _ in range(4)),
                *(seal.seal(police.house, police.store, police.own) for _ in range(3)),
            )
            await all_sealed(police)
        verdict = verified(tmp_path / "police")
        assert (verdict.troubles, verdict.unproven, verdict.rows >= 600) == ((), 0, True)

    asyncio.run(scenario())


def test_a_plan_to_seal_that_came_second_is_prepared_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, _):
            await police.start()
            await all_sealed(police)
            await police.server._supervisor.stop()
            await police.store.write(partial(fill, count=3))
            prepare = partial(seal.prepare, police.house, police.own)
            first, second = [await police.store.read(prepare) for _ in range(2)]
            await police.store.write(partial(seal.apply, plan=first))
            with pytest.raises(seal.StaleError):
                await police.store.write(partial(seal.apply, plan=second))

    asyncio.run(scenario())


def test_checkpoints_are_kept_each_hour_and_the_newest_always(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, _):
            await police.start()
            await all_sealed(police)
            [(began,)] = await police.rows("SELECT MAX(size) FROM checkpoint")
            sizes = []
            for _ in range(6):
                police.clock.advance(minutes=25)
                await police.store.write(partial(fill, count=2))
                await seal.seal(police.house, police.store, police.own)
                sizes.append((await police.rows("SELECT MAX(size) FROM checkpoint"))[0][0])
            kept = [
                size
                for (size,) in await police.rows(
                    f"SELECT size FROM checkpoint WHERE size > {began} ORDER BY size"
                )
            ]
            assert kept == [sizes[2], sizes[5]]

    asyncio.run(scenario())


def test_a_stopping_server_leaves_nothing_unsealed_and_starting_again_goes_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, _):
            for _ in range(3):
                await police.start()
                await police.store.write(partial(fill, count=300))
                await police.stop()
                verdict = verified(tmp_path / "police")
                assert (verdict.troubles, verdict.unsealed, verdict.unproven) == ((), 0, 0)
            assert verdict.rows >= 902

    asyncio.run(scenario())


def test_checkpoints_are_shipped_to_the_directory(tmp_path: Path) -> None:
    async def scenario() -> None:
        shipped = tmp_path / "shipped"
        shipped.mkdir()
        async with two_systems(tmp_path, start=False) as (police, _):
            await police.start()
            sealer = Sealer(police.house, police.store, police.own, shipped)
            for _ in range(4):
                await police.store.write(partial(fill, count=2))
                await sealer.seal()
                await sealer.ship()
                police.clock.advance(minutes=31)
            await police.stop()
            files = sorted(path.name for path in shipped.iterdir())
            sizes = [int(name.removeprefix("checkpoint-").removesuffix(".json")) for name in files]
            assert (len(sizes), sizes[1] - sizes[0]) == (2, 4)
            read = [
                msgspec.json.decode((shipped / name).read_bytes(), type=SignedCheckpoint) for name in files
            ]
            assert verified(tmp_path / "police", *read).troubles == ()
            engines.change(
                police,
                "UPDATE journal SET actor = 'x', hash = NULL, number = NULL WHERE serial = 3",
            )
            assert verified(tmp_path / "police", *read).troubles

    asyncio.run(scenario())


def test_a_directory_that_cannot_be_written_to_stops_nothing_and_the_doctor_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, _):
            path = police.directory / "config.toml"
            path.write_text(
                path.read_text().replace('checkpoint_directory = ""', 'checkpoint_directory = "later"')
            )
            await (system := System(police.directory, police.clock)).start()
            await system.store.write(partial(fill, count=2))
            await all_sealed(system)
            assert (await system.done("GET", "/health"))["components"]
            found = {one.name: one for one in (await asyncio.to_thread(examine, system.directory)).items}
            assert found["checkpoints"].status == "failed"
            later = system.directory / "later"
            later.mkdir()
            await system.server._sealer.ship()
            assert len(list(later.iterdir())) == 1
            found = {one.name: one for one in (await asyncio.to_thread(examine, system.directory)).items}
            assert found["checkpoints"].status == "ok"
            await system.stop()

    asyncio.run(scenario())


# Verification of a journal.


@pytest.mark.parametrize(
    ("spoilt", "wrong", "words"),
    [
        (
            ["UPDATE journal SET actor = 'sip:other@x.example' WHERE number = 300"],
            "changed",
            "row 300 (filler, ",
        ),
        (["UPDATE journal SET at = 'noon' WHERE number = 300"], "changed", "row 300 (filler, noon"),
        (["UPDATE journal SET hash = x'00' WHERE number = 300"], "changed", "row 300 (filler, "),
        (["DELETE FROM journal WHERE number = 300"], "removed", "row 300 is missing, before row 301"),
        (
            [
                "DELETE FROM journal WHERE number = 300",
                "INSERT INTO journal (serial, at, event, actor, detail) VALUES (300, 1, 'forged', 'x', '{}')",
            ],
            "inserted",
            "serial 300 (forged, ",
        ),
        (["DELETE FROM journal WHERE number > 500"], "cut-off", "the journal ends with row 500"),
        (
            ['UPDATE checkpoint SET body = replace(body, \'"root":"\', \'"root":"0\')'],
            "checkpoint",
            "not good",
        ),
        (["DELETE FROM checkpoint", "DELETE FROM journal WHERE number > 500"], None, ""),
    ],
)
def test_what_was_done_to_the_database_is_found(
    spoilt: list[str], wrong: str | None, words: str, tmp_path: Path, engine: str
) -> None:
    if engine == "postgres" and "noon" in spoilt[0]:
        pytest.skip("PostgreSQL takes no text for a number")

    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, _):
            await police.start()
            await police.store.write(partial(fill, count=600))
            shipped = await shipped_from(police)
            await police.stop()
            assert verified(police.directory, shipped).troubles == ()
            engines.change(police, *spoilt)
            found = {trouble.wrong: trouble.text for trouble in verified(police.directory).troubles}
            if wrong is None:
                assert found == {}
                assert [t.wrong for t in verified(police.directory, shipped).troubles] == ["cut-off"]
            else:
                assert words in found[wrong]

    asyncio.run(scenario())


def test_a_running_server_and_its_backup_are_verified_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await answered(police, fire)
            await all_sealed(police)
            assert verified(police.directory).troubles == ()
            await asyncio.to_thread(backup, police.directory, tmp_path / "saved")
            verdict = await asyncio.to_thread(verified, tmp_path / "saved")
            assert (verdict.troubles, verdict.rows >= 6) == ((), True)
            later = await shipped_from(police)
            await police.done("GET", "/pending")
            assert verified(tmp_path / "saved", later).troubles == ()

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_sealed_and_verified_in_little_memory(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, _):
            await police.start()
            for _ in range(100):
                await police.store.write(partial(fill, count=1000))
            await seal.seal(police.house, police.store, police.own)
            await police.stop()

    asyncio.run(scenario())
    tracemalloc.start()
    verdict = verified(tmp_path / "police")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (verdict.troubles, verdict.rows > 100_000, verdict.checkpoints >= 10) == ((), True, True)
    assert most < 4 * 1024 * 1024


# What strangers do.


@asynccontextmanager
async def exported(tmp_path: Path) -> AsyncIterator[tuple[System, Path]]:
    async with two_systems(tmp_path) as (police, fire):
        await answered(police, fire)
        await police.store.write(partial(fill, count=300, event="filler \u0001\ud7ff\n"))
        file = tmp_path / "journal.jsonl"

        def export() -> None:
            with client(police) as calls:
                signed = calls.checkpoint()
                size = json.loads(signed.checkpoint)["size"]
                lines = [row.line for row in calls.all_sealed_rows() if row.number and row.number <= size]
            last = json.dumps({name: getattr(signed, name) for name in ("checkpoint", "signature")})
            key = json.dumps({"key": {"kid": signed.key.kid, "x": signed.key.x}})
            file.write_bytes("\n".join([*lines, last[:-1] + ", " + key[1:]]).encode() + b"\n")

        await asyncio.to_thread(export)
        yield police, file


def test_a_stranger_verifies_an_export_with_the_lines_in_the_documentation(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with exported(tmp_path) as (police, file):
            [script] = re.findall(r"```python\n(.*?)```", (DOCS / "evidence.md").read_text(), re.DOTALL)

            def run() -> subprocess.CompletedProcess[str]:
                command = [sys.executable, "-c", script, str(file), police.own.key.kid]
                return subprocess.run(command, capture_output=True, text=True, check=False)

            done = await asyncio.to_thread(run)
            assert (done.returncode, f"as {POLICE} signed them" in done.stdout) == (0, True), done.stderr
            lines = file.read_bytes().splitlines(keepends=True)
            for wrong in (lines[:4] + lines[5:], [lines[0].replace(b"admin", b"other"), *lines[1:]]):
                file.write_bytes(b"".join(wrong))
                assert (await asyncio.to_thread(run)).returncode == 1

    asyncio.run(scenario())


def test_the_evidence_of_an_exchange_holds_at_both_systems_offline(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            for system in (police, fire):
                await system.store.write(partial(fill, count=700))
                await all_sealed(system)
            id_ = await answered(police, fire)
            for system in (police, fire):
                await system.store.write(partial(fill, count=900))
            kids = [police.own.key.kid, fire.own.key.kid]
            for system, other in ((police, FIRE), (fire, POLICE)):
                body = json.dumps(await evidence(system, id_)).encode()
                found = check(body, kids)
                assert statuses(found) == {"ok"}
                words = " ".join(f"{finding.name}: {finding.text}" for finding in found)
                assert f"written and signed by {other}" in words
                assert f"{other} has it: stored" in words
                assert "rows of this exchange stand in the journal" in words
                assert statuses(check(body)) == {"ok", "warning"}
                assert "failed" in statuses(check(body, kids[:1]))
                assert len(body) < 30_000

    asyncio.run(scenario())


@pytest.fixture
def made(engine: str) -> bytes:
    return _made(engine)


@cache
def _made(engine: str) -> bytes:
    """What the fire service has of an exchange with a question and an answer. Its keys differ with the engine."""

    async def scenario(folder: Path) -> bytes:
        async with two_systems(folder) as (police, fire):
            _, accepted = await police.submit()
            id_ = accepted["id"]
            await police.reaches(id_, "stored")
            await fire.done("POST", f"/requests/{id_}/questions", {"text": "which boat?"})
            await police.reaches(id_, "more_information")
            await police.done("POST", f"/requests/{id_}/answers", {"text": "Neptune"})
            await fire.reaches(id_, "pending")
            await fire.review(id_)
            await fire.reaches(id_, "delivered")
            return json.dumps(await evidence(fire, id_)).encode()

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(scenario(Path(folder)))


def places(document: Any, *path: Any) -> list[tuple[Any, ...]]:
    """The way to every value in a document."""
    if isinstance(document, dict):
        return [way for name, value in document.items() for way in places(value, *path, name)]
    if isinstance(document, list):
        return [path, *(way for n, value in enumerate(document) for way in places(value, *path, n))]
    return [path]


def holds(document: Any) -> bool:
    try:
        return "failed" not in statuses(check(json.dumps(document).encode()))
    except AcmxError:
        return False


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_value_of_the_evidence_can_be_changed(made: bytes, data: st.DataObject) -> None:
    document = json.loads(made)
    assert holds(document)
    *way, last = data.draw(st.sampled_from(places(document)))
    inside = document
    for step in way:
        inside = inside[step]
    value = inside[last]
    if isinstance(value, str) and value:
        at = data.draw(st.integers(0, len(value) - 1))
        character = data.draw(st.sampled_from('Aa0_}"é').filter(lambda c: c != value[at]))
        inside[last] = value[:at] + character + value[at + 1 :]
    elif isinstance(value, list):
        inside[last] = value[1:] if value else ["x"]
    else:
        inside[last] = {0: 1, None: ""}.get(value)
    assert not holds(document)


def test_evidence_made_anew_by_who_has_one_key_cannot_put_words_into_the_others_mouth(
    made: bytes, tmp_path: Path
) -> None:
    """The fire service signs the file, but neither the police's request nor its receipts."""

    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (_, fire):
            document = json.loads(made)
            inside = document["evidence"]
            request = next(m for m in inside["messages"] if m["type"] == "request")
            response = next(m for m in inside["messages"] if m["type"] == "response")
            for message, member, old, new in (
                (request, "body", "flood", "flame"),
                (response, "body", "as agreed", "as wanted"),
                (response, "reply", "stored", "gotten"),
            ):
                was = message[member]
                message[member] = was.replace(old, new)
                assert message[member] != was
                forged = json.dumps(
                    inside, sort_keys=True, separators=(",", ":"), ensure_ascii=False
                ).encode()
                signature = fire.own.sign(forged, to=FIRE, typ="acm-evidence", now=0)
                found = check(json.dumps({"evidence": inside, "signature": signature}).encode())
                assert found[0].status == "ok"
                assert "failed" in statuses(found)
                message[member] = was

    asyncio.run(scenario())


@pytest.mark.law(2)
def test_evidence_holds_after_both_systems_have_changed_their_keys(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await answered(police, fire)
            await all_sealed(fire)
            was = fire.own
            await fire.stop()
            (fire.directory / "keys" / "signing.pem").unlink()
            SigningKey.generate().save(fire.directory / "keys" / "signing.pem")
            new = System(fire.directory, fire.clock)
            await new.start()
            known = await police.store.read(partial(partners.find, id_=FIRE))
            assert known is not None
            pinned_anew = msgspec.structs.replace(
                known, metadata=new.own.metadata, metadata_digest=new.own.metadata_digest
            )
            await police.store.write(partial(partners.replace, partner=pinned_anew))
            for system in (police, new):
                found = check(json.dumps(await evidence(system, id_)).encode())
                assert "failed" not in statuses(found)
                named = " ".join(finding.text for finding in found if finding.name == "key")
                assert (was.key.kid in named) == (system is police)
            with opened(new.directory) as journal:
                checkpoints = Checkpoints(journal.checkpoints)
                assert len(list(checkpoints)) >= 2
            assert (set(checkpoints.keys), checkpoints.troubles) == ({was.key.kid, new.own.key.kid}, [])
            await new.stop()

    asyncio.run(scenario())


def test_every_row_has_a_proof_at_every_size(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, _):
            await police.start()
            await police.store.write(partial(fill, count=1300))
            await all_sealed(police)
            hashes = await police.store.read(lambda tx: seals.hashes(tx, 0, 2**40))

            def wrong(tx: Tx, size: int) -> list[int]:
                prover, root = Prover(tx, size), joined(peaks_of(hashes[:size]))
                return [
                    n
                    for n in range(1, size + 1)
                    if proven_root(hashes[n - 1], n, size, prover.proof(n)) != root
                ]

            for size in (1, 2, 255, 256, 257, 511, 512, 700, 1024, 1025, 1290):
                assert await police.store.read(partial(wrong, size=size)) == []

    asyncio.run(scenario())


def test_a_refused_message_that_was_no_text_is_in_the_evidence(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await answered(police, fire)
            body = b"\xff not text"
            place = {"exchange": f"{POLICE}/{id_}", "n": 2}
            signature = police.own.sign(body, to=FIRE, typ="acm-message", now=1_795_420_800, **place)
            arrived = Arrived(POLICE, POLICE, id_, 2, body, body_digest(body), signature)
            reply = await receive.receive(fire.house, fire.store, arrived)
            assert reply.typ == "acm-refusal"
            document = await evidence(fire, id_)
            assert [m["type"] for m in document["evidence"]["messages"] if "body_base64" in m] == ["refused"]
            found = check(json.dumps(document).encode())
            assert "failed" not in statuses(found)
            assert any("refuses it: invalid-message" in finding.text for finding in found)

    asyncio.run(scenario())


def test_evidence_of_a_changed_journal_does_not_hold(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await answered(police, fire)
            await fire.stop()
            engines.change(fire, "UPDATE journal SET actor = 'sip:forged@x.example' WHERE event = 'reviewed'")
            await fire.start()
            found = check(json.dumps(await evidence(fire, id_)).encode())
            [wrong] = [finding for finding in found if finding.status == "failed"]
            assert (wrong.name, "are not in the journal" in wrong.text) == ("journal", True)

    asyncio.run(scenario())


# Who looked.


async def looks(system: System, event: str) -> list[str]:
    await asyncio.sleep(0)
    found = await system.rows(f"SELECT actor FROM journal WHERE event = '{event}' ORDER BY serial")
    return [actor.partition("@")[0].removeprefix("sip:") for (actor,) in found]


@pytest.mark.step(10, 18)
def test_who_looks_into_an_exchange_is_journalled_once_a_day(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            _, accepted = await police.submit(account="requester")
            id_ = accepted["id"]
            await eventually(
                lambda: fire.call("GET", f"/requests/{id_}", account="auditor"), lambda reply: reply[0] == 200
            )
            for _ in range(3):
                await fire.done("GET", "/pending", account="reviewer")
                await fire.exchange(id_, account="auditor")
                await fire.exchange(id_, account="reviewer")
            assert await looks(fire, "opened") == ["auditor", "reviewer"]
            assert await looks(fire, "seen-pending") == ["reviewer"]
            fire.clock.advance(hours=17)
            await fire.exchange(id_, account="auditor")
            await fire.call("GET", f"/requests/{id_}", account="requester")
            assert await looks(fire, "opened") == ["auditor", "reviewer", "auditor"]
            await evidence(fire, id_)
            assert await looks(fire, "evidence-taken") == ["auditor"]
            shown = {entry["event"] for entry in (await fire.exchange(id_))["journal"]}
            assert shown == {"request"}

    asyncio.run(scenario())


@pytest.mark.step(18)
def test_a_second_retrieval_on_another_day_is_journalled(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await answered(police, fire)
            before = await looks(police, "opened")
            police.clock.advance(days=1)
            await police.done("POST", f"/requests/{id_}/retrieval", account="requester")
            assert await looks(police, "opened") == [*before, "requester"]

    asyncio.run(scenario())


def test_an_export_begins_at_a_time(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, _):
            await police.start()
            await police.store.write(partial(fill, count=50))
            police.clock.advance(hours=1)
            now = police.clock()
            await police.done(
                "POST", "/sessions", {"account": "admin", "password": "correct horse battery staple"}
            )
            await all_sealed(police)
            page = await police.done("GET", f"/audit/rows?since={now:%Y-%m-%dT%H:%M:%SZ}", account="auditor")
            events = [json.loads(row["line"])["event"] for row in page["items"]]
            assert events == ["logged-on", "journal-exported"]
            status, _ = await police.call("GET", "/audit/rows?since=noon", account="auditor")
            assert status == 422

    asyncio.run(scenario())

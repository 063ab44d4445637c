"""Exports and the evidence of an exchange: made by two real systems, verified by strangers."""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acmx.bootstrap.offline_audit import opened
from acmx.domain.errors import AcmxError
from acmx.flows.acm2 import receive
from acmx.flows.acm2.arrivals import Arrived
from acmx.flows.evidence.prove import Prover
from acmx.flows.people.refusals import Refusals
from acmx.storage import seals
from acmx.storage.engine import Tx
from acmx.storage.partnership import partners
from acmx.trust.checkpoints import Checkpoints
from acmx.trust.evidence_check import check
from acmx.trust.keys import SigningKey
from acmx.trust.signatures import body_digest
from acmx.trust.tree import joined, peaks_of, proven_root
from support.systems import engines
from support.systems.evidence import all_sealed, answered, client, evidence, fill, statuses
from support.systems.systems import FIRE, POLICE, System, Two, two_systems

DOCS = Path(__file__).parents[3] / "docs"


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


async def test_a_stranger_verifies_an_export_with_the_lines_in_the_documentation(tmp_path: Path) -> None:
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


async def test_the_evidence_of_an_exchange_holds_at_both_systems_offline(systems: Two) -> None:
    police, fire = systems
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
            await police.done("POST", f"/requests/{id_}/answers", {"question": 1, "text": "Neptune"})
            await fire.reaches(id_, "pending")
            await fire.review(id_)
            await fire.reaches(id_, "delivered")
            return json.dumps(await evidence(fire, id_)).encode()

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(scenario(Path(folder)))


def test_an_answer_is_shown_with_its_question(made: bytes) -> None:
    [answer] = [one for one in check(made) if one.name.startswith("answer ")]
    assert (answer.status, f"to question 1 of {FIRE}" in answer.text) == ("ok", True)


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


async def test_evidence_made_anew_by_who_has_one_key_cannot_put_words_into_the_others_mouth(
    made: bytes, tmp_path: Path
) -> None:
    """The fire service signs the file, but neither the police's request nor its receipts."""

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
            forged = json.dumps(inside, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            signature = fire.own.sign(forged, to=FIRE, typ="acm-evidence", now=0)
            found = check(json.dumps({"evidence": inside, "signature": signature}).encode())
            assert found[0].status == "ok"
            assert "failed" in statuses(found)
            message[member] = was


@pytest.mark.law(2)
async def test_evidence_holds_after_both_systems_have_changed_their_keys(systems: Two) -> None:
    police, fire = systems
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


async def test_every_row_has_a_proof_at_every_size(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        await police.store.write(partial(fill, count=1300))
        await all_sealed(police)
        hashes = await police.store.read(lambda tx: seals.hashes(tx, 0, 2**40))

        def wrong(tx: Tx, size: int) -> list[int]:
            prover, root = Prover(tx, size), joined(peaks_of(hashes[:size]))
            return [
                n for n in range(1, size + 1) if proven_root(hashes[n - 1], n, size, prover.proof(n)) != root
            ]

        for size in (1, 2, 255, 256, 257, 511, 512, 700, 1024, 1025, 1290):
            assert await police.store.read(partial(wrong, size=size)) == []


async def test_a_refused_message_that_was_no_text_is_in_the_evidence(systems: Two) -> None:
    police, fire = systems
    id_ = await answered(police, fire)
    body = b"\xff not text"
    place = {"exchange": f"{POLICE}/{id_}", "n": 2}
    signature = police.own.sign(body, to=FIRE, typ="acm-message", now=1_795_420_800, **place)
    arrived = Arrived(POLICE, POLICE, id_, 2, body, body_digest(body), signature)
    reply = await receive.receive(fire.house, fire.store, Refusals(fire.house, fire.store), arrived)
    assert reply.typ == "acm-refusal"
    document = await evidence(fire, id_)
    assert [m["type"] for m in document["evidence"]["messages"] if "body_base64" in m] == ["refused"]
    found = check(json.dumps(document).encode())
    assert "failed" not in statuses(found)
    assert any("refuses it: invalid-message" in finding.text for finding in found)


async def test_evidence_of_a_changed_journal_does_not_hold(systems: Two) -> None:
    police, fire = systems
    id_ = await answered(police, fire)
    await fire.stop()
    engines.change(fire, "UPDATE journal SET actor = 'sip:forged@x.example' WHERE event = 'reviewed'")
    await fire.start()
    found = check(json.dumps(await evidence(fire, id_)).encode())
    [wrong] = [finding for finding in found if finding.status == "failed"]
    assert (wrong.name, "are not in the journal" in wrong.text) == ("journal", True)


async def test_an_export_begins_at_a_time(tmp_path: Path) -> None:
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

"""After a restore of either side from an older backup both sides end up agreeing; nothing is lost or decided twice."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acmx.bootstrap import database
from acmx.cli.demo.ports import reserve_port
from acmx.delivery import comparison
from acmx.domain.moments import text
from acmx.trust.signatures import body_digest
from support.partner.by_hand import BEYOND, ByHand, pin
from support.systems.another import another_connection
from support.systems.restores import (
    agree,
    answered,
    asked,
    back_up,
    compare,
    compared,
    restore,
    run,
    systems,
    withdrawn,
)
from support.systems.systems import FIRE, POLICE, System, eventually, two_systems

pytestmark = pytest.mark.law(3)

APPROVE_ALL = (
    '@id("all") permit (principal, action == Action::"approve", resource == Kind::"server-identity");'
)
JOURNAL = "SELECT COUNT(*) FROM journal"


def decisions(exchange: dict[str, Any]) -> list[str]:
    events = [entry["event"] for entry in exchange["journal"]]
    return [event for event in events if event in ("reviewed", "decided-by-rule", "expired")]


async def busy_hours(police: System, fire: System, of_old: str) -> dict[str, str]:
    """All that can happen to exchanges, by name; `of_old` was stored before."""
    ids = {name: await asked(police, fire, name) for name in ("open", "approved", "withdrawn", "fetched")}
    ids["old"] = of_old
    for name in ("old", "approved", "fetched"):
        await answered(police, fire, ids[name])
    await police.done("POST", f"/requests/{ids['fetched']}/retrieval")
    await withdrawn(police, fire, ids["withdrawn"])
    await fire.done("PUT", "/policy", {"text": APPROVE_ALL})
    _, accepted = await police.submit("automatic")
    ids["automatic"] = accepted["id"]
    await police.reaches(accepted["id"], "answered")
    await fire.reaches(accepted["id"], "delivered")
    return ids


@pytest.mark.parametrize("restored", [("police",), ("fire",), ("police", "fire")], ids="-".join)
def test_all_that_one_side_still_holds_comes_back(tmp_path: Path, restored: tuple[str, ...]) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            of_old = await asked(police, fire, "of old")
            copies = {system: back_up(system, "t0") for system in (police, fire)}
            ids = await busy_hours(police, fire, of_old)
            if len(restored) == 2:
                # What nobody holds any more is gone; what was there at t0 goes on.
                for system, copy in copies.items():
                    await restore(system, copy, start=False)
                await asyncio.gather(police.start(), fire.start())
                await compared(police, FIRE)
                await compared(fire, POLICE)
                await answered(police, fire, of_old)
                await agree(police, fire)
                assert (await police.counts("exchange"))["exchange"] == 1
                return
            before = {name: await fire.exchange(id_) for name, id_ in ids.items()}
            system, other = (police, FIRE) if restored == ("police",) else (fire, POLICE)
            await restore(system, copies[system])
            await compared(system, other)
            for name, id_ in ids.items():
                here, there = {
                    "open": ("stored", "pending"),
                    "withdrawn": ("withdrawn", "withdrawn"),
                }.get(name, ("answered", "delivered"))
                await police.reaches(id_, here, *(["retrieved"] if name == "fetched" else []))
                at_fire = await fire.reaches(id_, there)
                assert at_fire.get("outcome") == before[name].get("outcome")
                assert at_fire.get("decided_by") == before[name].get("decided_by")
                assert len(decisions(at_fire)) == (there == "delivered")
                assert not at_fire.get("contradictions")
            explained = await fire.done("GET", f"/requests/{ids['automatic']}/explanation")
            assert ("consultation" in explained) == (system is police)
            await agree(police, fire)
            for system, other in ((police, FIRE), (fire, POLICE)):
                assert "comparison_error" not in await compared(system, other)

    run(scenario())


@pytest.mark.parametrize("restored", ["police", "fire"])
def test_questions_and_answers_come_back(tmp_path: Path, restored: str) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            id_ = await asked(police, fire)
            copies = {system: back_up(system, "t0") for system in (police, fire)}
            await fire.done("POST", f"/requests/{id_}/questions", {"text": "how many vehicles?"})
            await police.reaches(id_, "more_information")
            police.clock.advance(minutes=1)  # type: ignore[attr-defined]
            await police.done("POST", f"/requests/{id_}/answers", {"question": 1, "text": "three"})
            await fire.reaches(id_, "pending")
            await agree(police, fire)
            system, other = (police, FIRE) if restored == "police" else (fire, POLICE)
            await restore(system, copies[system])
            await compared(system, other)
            await agree(police, fire)
            said = {remark["text"] for remark in (await system.exchange(id_))["conversation"]}
            assert said == {"how many vehicles?", "three"}
            await police.reaches(id_, "stored")
            await fire.reaches(id_, "pending")
            await answered(police, fire, id_)

    run(scenario())


def test_nothing_changes_when_nothing_differs(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            await busy_hours(police, fire, await asked(police, fire, "of old"))
            await agree(police, fire)
            before = [await system.rows("SELECT * FROM exchange") for system in (police, fire)]
            for system in (police, fire):
                await system.restart()
            police.clock.advance(hours=7)  # type: ignore[attr-defined]
            await police.nudge(FIRE)
            await compare(police, FIRE)
            await compare(fire, POLICE)
            after = [await system.rows("SELECT * FROM exchange") for system in (police, fire)]
            assert before == after
            for system in (police, fire):
                late = await system.rows("SELECT event FROM journal ORDER BY serial DESC LIMIT 1")
                assert late == [("comparison-asked",)]

    run(scenario())


async def decided_twice(police: System, fire: System, id_: str, copy: Path) -> None:
    """B has approved, and A has it; B is restored and declines before it can compare."""
    await answered(police, fire, id_)
    await police.stop()
    await restore(fire, copy)
    assert (await fire.exchange(id_))["state"] == "pending"
    status, _ = await fire.review(id_, {"approved": False}, reason="changed our minds")
    assert status == 200


def test_the_earlier_of_two_decisions_stands_and_a_person_sees_both(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            id_ = await asked(police, fire)
            copy = back_up(fire, "t0")
            await decided_twice(police, fire, id_, copy)
            await police.start()
            fire.clock.advance(minutes=20)  # type: ignore[attr-defined]
            await fire.nudge(POLICE)
            at_fire = await fire.reaches(id_, "delivered")
            await agree(police, fire)
            assert (at_fire["outcome"], at_fire["reason"]) == ("approved", "as agreed")
            [lost] = at_fire["contradictions"]
            assert (lost["outcome"], lost["reason"]) == ("declined", "changed our minds")
            told = await fire.rows("SELECT audience FROM notice WHERE event = 'reconciled'")
            assert told == [("reviewers",)]
            at_police = await police.exchange(id_)
            assert (at_police["state"], at_police["outcome"]) == ("answered", "approved")

    run(scenario())


def test_the_asker_gets_the_earlier_answer_though_the_later_one_was_fetched(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            id_ = await asked(police, fire)
            undecided = back_up(fire, "undecided")
            await police.stop()
            await fire.review(id_)
            approved = back_up(fire, "approved")
            await restore(fire, undecided)
            await police.start()
            await compared(fire, POLICE)
            await fire.review(id_, {"approved": False}, reason="changed our minds")
            await police.reaches(id_, "answered")
            await police.done("POST", f"/requests/{id_}/retrieval")
            await restore(fire, approved)
            await eventually(
                lambda: fire.rows("SELECT first_sent_at FROM outbox"), lambda found: found[0][0] is not None
            )
            await compare(police, FIRE)
            await compare(fire, POLICE)
            at_police = await police.reaches(id_, "answered")
            assert at_police["outcome"] == "approved"
            assert [lost["outcome"] for lost in at_police["contradictions"]] == ["declined"]
            await fire.reaches(id_, "delivered")
            await agree(police, fire)
            answer = await police.done("POST", f"/requests/{id_}/retrieval")
            assert answer["outcome"] == "approved"
            assert answer["content"]["server_identity"]

    run(scenario())


def test_a_withdrawal_that_was_confirmed_stands_over_a_later_decision(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            id_ = await asked(police, fire)
            copy = back_up(fire, "t0")
            await withdrawn(police, fire, id_)
            await police.stop()
            await restore(fire, copy)
            await fire.review(id_)
            await police.start()
            fire.clock.advance(minutes=20)  # type: ignore[attr-defined]
            await fire.nudge(POLICE)
            at_fire = await fire.reaches(id_, "withdrawn")
            assert not at_fire["waiting"]
            assert (await police.exchange(id_))["state"] == "withdrawn"
            before = await fire.rows(JOURNAL)
            await compare(police, FIRE)
            await compare(fire, POLICE)
            assert await fire.rows(JOURNAL) == [(before[0][0] + 1,)]

    run(scenario())


def test_what_a_restored_system_does_not_remember_to_have_sent_is_not_withdrawn_at_once(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            await fire.stop()
            _, accepted = await police.submit()
            id_ = accepted["id"]
            copy = back_up(police, "t0")
            connection = another_connection(copy)
            connection.execute("UPDATE outbox SET first_sent_at = NULL, attempts = 0")
            connection.close()
            await fire.start()
            police.clock.advance(minutes=5)  # type: ignore[attr-defined]
            await police.nudge(FIRE)
            await police.reaches(id_, "stored")
            await fire.stop()
            await restore(police, copy)
            assert (await police.exchange(id_))["state"] == "queued"
            _, answer = await police.withdraw(id_)
            assert answer["state"] == "withdrawing"
            _, fresh = await police.submit("fresh")
            _, answer = await police.withdraw(fresh["id"])
            assert answer["state"] == "withdrawn"
            await fire.start()
            police.clock.advance(minutes=20)  # type: ignore[attr-defined]
            await police.nudge(FIRE)
            await police.reaches(id_, "withdrawn")
            await fire.reaches(id_, "withdrawn")

    run(scenario())


@pytest.mark.step(2)
@pytest.mark.parametrize("then", ["waits", "is refused", "is withdrawn"])
def test_a_request_that_was_released_after_the_backup_was_released(tmp_path: Path, then: str) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            one = {"kind": "server-identity", "release": {"approvals": 1}}
            await police.done("PUT", f"/partners/{FIRE}/approvals", one)
            _, accepted = await police.submit(account="requester")
            id_ = accepted["id"]
            copy = back_up(police, "t0")
            await police.review(id_, account="reviewer")
            await police.reaches(id_, "stored")
            if then == "waits":
                await fire.review(id_)
                await police.reaches(id_, "answered")
            await fire.stop()
            await restore(police, copy)
            assert (await police.exchange(id_))["state"] == "awaiting_release"
            if then == "is refused":
                await police.review(id_, {"approved": False}, account="reviewer")
                assert (await police.exchange(id_))["state"] == "refused_here"
            elif then == "is withdrawn":
                await police.withdraw(id_, account="requester")
                assert (await police.exchange(id_))["state"] == "withdrawing"
            await fire.start()
            police.clock.advance(minutes=5)  # type: ignore[attr-defined]
            await police.nudge(FIRE)
            expected = {"waits": "answered", "is refused": "stored", "is withdrawn": "withdrawn"}
            exchange = await police.reaches(id_, expected[then])
            if then != "is withdrawn":
                assert "restored" in [entry["event"] for entry in exchange["journal"]]
            police.clock.advance(minutes=15)  # type: ignore[attr-defined]
            await fire.nudge(POLICE)
            await agree(police, fire)

    run(scenario())


def test_nothing_is_sent_after_a_start_before_the_comparison(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, fire):
            stand_in = ByHand.of(fire)
            heard: list[str] = []

            async def answer(message: tuple[str, bytes, str]) -> Any:
                shown = await police.done("GET", f"/partners/{FIRE}")
                heard.append(shown.get("comparison_due", "none due"))
                return stand_in.receipt(message)

            await police.start()
            _, accepted = await police.submit()
            await police.stop()
            async with stand_in.serving(police, answer):
                await police.start()
                await police.reaches(accepted["id"], "stored")
                assert heard == ["none due"]
                await police.stop()

    run(scenario())


def test_many_exchanges_are_compared_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "PAGE", 7)

    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            copy = back_up(police, "t0")
            other = back_up(fire, "t0")
            ids = [(await police.submit(f"key {n}"))[1]["id"] for n in range(300)]
            for id_ in ids:
                await police.reaches(id_, "stored")
            await restore(police, copy)
            await compared(police, FIRE)
            for id_ in ids:
                await police.reaches(id_, "stored")
            await agree(police, fire)
            await restore(fire, other)
            await compare(police, FIRE)
            await compare(fire, POLICE)
            for id_ in ids:
                await fire.reaches(id_, "pending")
            await agree(police, fire)

    run(scenario())


def test_a_partner_that_lies_in_its_page_changes_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            ours = await asked(police, fire)
            with_fire = await fire.exchange(ours)
            await fire.stop()
            await police.stop()
            liar = ByHand.new(tmp_path, police.clock)  # type: ignore[arg-type]
            metadata = msgspec.json.decode(liar.own.metadata)
            liar.listen = f"127.0.0.1:{reserve_port()}"
            metadata["address"] = f"https://{liar.listen}"
            liar.own = type(liar.own)(liar.own.system, liar.own.key, msgspec.json.encode(metadata))
            await pin(police, liar.own.metadata)

            def names(primary: str, id_: str, role: str, state: str, *messages: Any) -> dict[str, Any]:
                listed = [
                    {"sender": sender, "n": n, "type": type_, "digest": body_digest(body)}
                    for sender, n, type_, body in messages
                ]
                return {
                    "primary": primary,
                    "exchange": id_,
                    "role": role,
                    "state": state,
                    "messages": listed,
                }

            def gives(primary: str, id_: str, sender: str, n: int, body: bytes) -> None:
                place = f"{primary}/{id_}"
                seal = liar.sealed(body, POLICE, place, n)
                liar.given[f"/acm2/v1/exchanges/{place}/messages/{sender}/{n}"] = body, seal

            request = liar.request(police)
            good, id_ = msgspec.json.encode(request), request["exchange"]
            foreign = {
                "type": "request",
                "from": POLICE,
                "to": BEYOND,
                "exchange": id_,
                "created_at": text(police.clock()),
            }
            forged = msgspec.json.encode(request | foreign)
            fake = "01a2076b-4400-7000-8000-00000000000"
            liar.listed = [
                names(POLICE, ours, "partner", "withdrawn", ("primary", 1, "request", good)),
                names(FIRE, fake + "1", "primary", "pending", ("primary", 1, "request", good)),
                names(BEYOND, fake + "2", "partner", "pending", ("primary", 1, "request", good)),
                names(POLICE, fake + "3", "partner", "delivered", ("primary", 1, "request", forged)),
                names(BEYOND, fake + "4", "primary", "stored", ("primary", 1, "request", good)),
                names(BEYOND, fake + "5", "primary", "stored", ("primary", 1, "request", b"other bytes")),
                names(BEYOND, fake + "6", "primary", "stored", ("primary", 1, "request", b"never given")),
            ]
            gives(POLICE, fake + "3", "primary", 1, forged)
            gives(BEYOND, fake + "4", "primary", 1, good)
            gives(BEYOND, fake + "5", "primary", 1, good)

            async def unheard(_: Any) -> Any:
                raise AssertionError

            async with liar.serving(police, unheard):
                await police.start()
                shown = await compared(police, BEYOND)
                assert shown["comparison_error"].startswith("7 wrong")
                journalled = await police.rows(
                    f"SELECT COUNT(*) FROM journal WHERE event = 'comparison-refused' AND actor = '{BEYOND}'"
                )
                assert journalled == [(7,)]
                assert (await police.counts())["exchange"] == 1
                assert (await police.counts())["message"] == 1
                assert (await police.exchange(ours))["state"] == "stored"
                assert with_fire["state"] == "pending"
                await police.stop()

    run(scenario())


def test_messages_are_given_back_to_the_partner_of_the_exchange_only(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            id_ = await asked(police, fire)
            await fire.stop()
            stand_in = ByHand.of(fire)
            stranger = ByHand.new(tmp_path, police.clock)  # type: ignore[arg-type]
            await police.stop()
            await pin(police, stranger.own.metadata)
            await police.start()
            url = f"{police.acm2}/exchanges/{POLICE}/{id_}/messages/primary/1"
            async with stand_in.connected(police) as http:
                async with http.get(url) as reply:
                    assert reply.status == 200
                    held = await fire_s_copy(fire)
                    assert await reply.read() == held
                async with http.get(url.replace("primary/1", "primary/2")) as reply:
                    assert (reply.status, (await reply.json())["type"].split(":")[-1]) == (
                        404,
                        "unknown-exchange",
                    )
                async with http.get(f"{police.acm2}/exchanges?since=yesterday") as reply:
                    assert reply.status == 422
            async with stranger.connected(police) as http:
                async with http.get(url) as reply:
                    assert reply.status == 404
                async with http.get(f"{police.acm2}/exchanges?since=2026-01-01T00:00:00Z") as reply:
                    assert (await reply.json())["items"] == []

    run(scenario())


async def fire_s_copy(fire: System) -> bytes:
    with database.snapshot(fire.directory, fire.config) as tx:
        [(body,)] = tx.rows("SELECT body FROM message WHERE n = 1")
    return bytes(body)


async def test_what_had_been_taken_comes_back_whatever_the_terms_admit(tmp_path: Path) -> None:
    async with systems(tmp_path) as (police, fire):
        terms = {"kinds": ["server-identity"], "max_open": 1, "max_users": 10, "max_per_hour": 1}
        await fire.done("PUT", f"/partners/{POLICE}/terms", terms)
        copy = back_up(fire, "t0")
        wider = terms | {"max_open": 10, "max_per_hour": 10}
        await fire.done("PUT", f"/partners/{POLICE}/terms", wider)
        ids = [await asked(police, fire, f"{n}") for n in range(3)]
        await restore(fire, copy)
        await compare(fire, POLICE)
        for id_ in ids:
            await fire.reaches(id_, "pending")
        await agree(police, fire)

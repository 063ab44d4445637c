"""The outbox as an operator sees it, and «retry now» of law 6."""

from datetime import timedelta
from pathlib import Path

import pytest

from acmx.domain.messages import PROBLEM
from acmx.domain.moments import to_ms
from acmx.storage.exchange import outbox
from acmx.storage.partnership import partners
from support.systems.systems import FIRE, START, System, Two, eventually, two_systems


async def failing(police: System) -> None:
    """The link to the fire service has failed and rests."""
    await eventually(
        lambda: police.done("GET", f"/partners/{FIRE}"), lambda partner: "next_attempt_at" in partner
    )


@pytest.mark.law(6, 13)
async def test_it_lists_what_waits_and_why_page_by_page(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _fire):
        await police.start()
        ids = [(await police.submit(key))[1]["id"] for key in "abc"]
        await failing(police)
        first = await police.done("GET", "/outbox?limit=2", account="operator")
        rest = await police.done("GET", f"/outbox?limit=2&after={first['next']}", account="operator")
        listed = [*first["items"], *rest["items"]]
        assert [queued["exchange"] for queued in listed] == ids
        assert "next" not in rest
        assert {(queued["partner"], queued["type"]) for queued in listed} == {(FIRE, "request")}
        assert all("Connect call failed" in queued["last_error"] for queued in listed)
        assert all(queued["next_attempt_at"] != queued["queued_at"] for queued in listed)
        assert not any(queued.get("undeliverable") for queued in listed)
        assert (await police.done("GET", f"/outbox?partner={FIRE}&limit=3"))["items"] == listed
        assert (await police.done("GET", "/outbox?partner=mc.other.example"))["items"] == []


async def test_what_is_given_up_is_shown_so(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _fire):
        await police.start()
        await police.submit()
        police.clock.advance(days=30 + 90)
        (queued,) = (await police.done("GET", "/outbox"))["items"]
        assert queued["undeliverable"] is True
        assert (await police.done("POST", "/outbox/retry", {}))["messages"] == 0


@pytest.mark.law(6)
@pytest.mark.parametrize("named", ["partner", "exchange", "nothing"])
async def test_retry_now_lifts_the_back_off_of_partner_and_exchange_and_is_journalled(
    named: str, systems: Two
) -> None:
    police, _fire = systems
    await eventually(lambda: police.done("GET", f"/partners/{FIRE}"), lambda p: "last_success_at" in p)
    later = to_ms(START + timedelta(seconds=20))
    await police.store.write(lambda tx: partners.link_failed(tx, FIRE, 1, "down", later))
    _, accepted = await police.submit()
    (queued,) = await police.store.read(lambda tx: outbox.page(tx, after=0, limit=9))
    await police.store.write(lambda tx: outbox.put_off(tx, queued, later, "not now"))
    (shown,) = (await police.done("GET", "/outbox"))["items"]
    assert (shown["attempts"], shown["next_attempt_at"]) == (0, "2026-11-23T08:00:20Z")
    document = {"partner": {"partner": FIRE}, "exchange": {"exchange": accepted["id"]}}.get(named, {})
    retried = await police.done("POST", "/outbox/retry", document, account="operator")
    assert retried == {"messages": 1, "partners": [FIRE]}
    await police.reaches(accepted["id"], "stored")
    events = [entry["event"] for entry in (await police.done("GET", "/audit"))["items"]]
    assert "retry-now" in events


async def test_what_does_not_exist_is_not_retried(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        for document, status in (
            ({"partner": "mc.nobody.example"}, 404),
            ({"exchange": "01a20709-4e92-70a1-9c51-865c12a449e8"}, 404),
            ({"partner": FIRE, "exchange": "x"}, 422),
        ):
            assert (await police.call("POST", "/outbox/retry", document))[0] == status


@pytest.mark.law(10)
@pytest.mark.parametrize("account", ["requester", "reviewer", "auditor", "identity-editor"])
async def test_only_operator_and_partner_administrator_may(account: str, tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        for method, path in (
            ("GET", "/outbox"),
            ("POST", "/outbox/retry"),
            ("POST", f"/partners/{FIRE}/check"),
            ("POST", "/clock/confirmation"),
        ):
            status, problem = await police.call(method, path, {}, account=account)
            assert (status, problem["type"]) == (403, PROBLEM + "not-allowed")

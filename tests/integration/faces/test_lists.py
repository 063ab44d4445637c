"""Law 13: every list is paged by key and says whether there is more."""

from pathlib import Path
from typing import Any

import pytest

from support.systems.systems import FIRE, System, Two, two_systems

COUNT = 7


async def pages(
    system: System, path: str, limit: int, account: str = "admin", **lists: int
) -> list[list[Any]]:
    """The pages of a list, one after another, as a client follows them."""
    found: list[list[Any]] = []
    after = ""
    while True:
        page = await system.done("GET", f"{path}?limit={limit}{after}", account=account)
        found.append(page.get("items") or [*page.get("to_decide", ()), *page.get("to_fetch", ())])
        assert len(found[-1]) <= limit
        if page.get("next") is None:
            return found
        after = f"&after={page['next']}"


async def asked(police: System, count: int = COUNT, **changes: Any) -> list[str]:
    """One after the other, so they arrive in this order."""
    ids = []
    for n in range(count):
        _, accepted = await police.submit(f"{n}{changes}", **changes)
        await police.reaches(accepted["id"], "stored")
        ids.append(accepted["id"])
    return ids


async def in_order(system: System) -> list[str]:
    """The exchanges as they came to be here."""
    return [id_ for (id_,) in await system.rows("SELECT id FROM exchange ORDER BY serial")]


@pytest.mark.law(13)
@pytest.mark.parametrize("limit", [1, 3, COUNT, 100])
async def test_following_the_pages_gives_every_exchange_once(limit: int, systems: Two) -> None:
    police, fire = systems
    ids = await asked(police)
    arrived = await in_order(fire)
    assert sorted(arrived) == ids
    for system, path, expected in (
        (police, "/requests", ids[::-1]),
        (fire, "/requests", arrived[::-1]),
        (fire, "/pending", arrived),
    ):
        found = await pages(system, path, limit)
        assert [e["id"] for page in found for e in page] == expected
        assert len(found) == -(-COUNT // limit)


@pytest.mark.law(13)
async def test_what_others_may_not_see_never_hides_that_there_is_more(systems: Two) -> None:
    police, fire = systems
    mine = await asked(police, 3)
    await asked(police, 5, addressee={"mc_service_id": f"sip:somebody@{FIRE}"})
    mine += await asked(police, 3, purpose="later")
    mine = [id_ for id_ in await in_order(fire) if id_ in mine]
    for path, expected in (("/requests", mine[::-1]), ("/pending", mine)):
        found = await pages(fire, path, 2, account="reviewer")
        assert [e["id"] for page in found for e in page] == expected


@pytest.mark.law(13)
async def test_the_audit_log_the_notices_and_the_accounts_are_paged_too(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        for n in range(COUNT):
            await police.submit(str(n), account="auditor")
        told = [n["exchange"] for page in await pages(police, "/notices", 3) for n in page]
        assert len(set(told)) == len(told) == (await police.counts("notice"))["notice"] == COUNT
        rows = [e["serial"] for page in await pages(police, "/audit", 3) for e in page]
        assert rows == sorted(set(rows), reverse=True)
        assert len(rows) == (await police.counts("journal"))["journal"]
        names = [a["name"] for page in await pages(police, "/accounts", 2) for a in page]
        assert names == sorted(set(names))
        assert len(names) == 7


@pytest.mark.law(13)
async def test_ten_thousand_users_are_all_there_on_both_sides(systems: Two) -> None:
    police, fire = systems
    users = [f"sip:officer.{n}@{police.id}" for n in range(10_000)]
    _, accepted = await police.submit(users=users)
    await police.reaches(accepted["id"], "stored")
    assert (await fire.exchange(accepted["id"]))["users"] == users
    status, reviewed = await fire.review(
        accepted["id"], {"approved": True, "users": users[:4_000]}, {"approved": False}
    )
    assert (status, reviewed["approved"], reviewed["declined"]) == (200, 4_000, 6_000)
    answer = await police.reaches(accepted["id"], "answered")
    assert [len(verdict["users"]) for verdict in answer["verdicts"]] == [4_000, 6_000]

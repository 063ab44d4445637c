"""Who looks into an exchange is on record."""

import pytest

from support.systems.evidence import answered, evidence, looks
from support.systems.systems import Two, eventually


@pytest.mark.step(10, 18)
async def test_who_looks_into_an_exchange_is_journalled_once_a_day(systems: Two) -> None:
    police, fire = systems
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


@pytest.mark.step(18)
async def test_a_second_retrieval_on_another_day_is_journalled(systems: Two) -> None:
    police, fire = systems
    id_ = await answered(police, fire)
    before = await looks(police, "opened")
    police.clock.advance(days=1)
    await police.done("POST", f"/requests/{id_}/retrieval", account="requester")
    assert await looks(police, "opened") == [*before, "requester"]

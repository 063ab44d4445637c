"""The 18 steps between two real servers in one process: manual and automatic."""

import pytest

from support.systems.systems import FIRE, Two


@pytest.mark.step(1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 17, 18)
async def test_a_person_of_the_partner_decides_and_the_asker_retrieves(systems: Two) -> None:
    police, fire = systems
    status, accepted = await police.submit(account="requester")
    assert status == 201
    id_ = accepted["id"]
    await police.reaches(id_, "stored")
    pending = await fire.done("GET", "/pending", account="reviewer")
    assert [item["id"] for item in pending["to_decide"]] == [id_]
    status, reviewed = await fire.review(id_)
    assert (status, reviewed["outcome"], reviewed["approved"]) == (200, "approved", 2)
    await police.reaches(id_, "answered")
    assert (await fire.reaches(id_, "delivered"))["outcome"] == "approved"
    waiting = await police.done("GET", "/pending", account="requester")
    assert [item["id"] for item in waiting["to_fetch"]] == [id_]
    answer = await police.done("POST", f"/requests/{id_}/retrieval", account="requester")
    assert answer["content"]["server_identity"]["mc_system_id"] == FIRE
    assert answer["content"]["catalogue"] == 1
    assert answer["handler"] == {"mc_service_id": f"sip:admin@{FIRE}"}
    steps = {step["n"]: step["status"] for step in (await police.exchange(id_))["steps"]}
    assert {n for n, status in steps.items() if status == "done"} == {
        1,
        2,
        3,
        4,
        5,
        12,
        13,
        14,
        15,
        17,
        18,
    }


APPROVE_SMALL = """
@id("small-lists")
permit (
  principal == MCSystem::"mc.metro-police.example", action == Action::"approve", resource == Kind::"server-identity"
)
when { context.users <= 2 };
"""


@pytest.mark.step(6)
async def test_policy_answers_without_a_person(systems: Two) -> None:
    police, fire = systems
    await fire.done("PUT", "/policy", {"text": APPROVE_SMALL})
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "answered")
    answer = await police.done("POST", f"/requests/{accepted['id']}/retrieval")
    assert answer["outcome"] == "approved"
    assert answer["automatic"] is True
    at_fire = await fire.reaches(accepted["id"], "delivered")
    steps = {step["n"]: step for step in at_fire["steps"]}
    assert steps[6]["note"] == "small-lists"
    assert all(steps[n]["status"] == "not-taken" for n in range(7, 13))

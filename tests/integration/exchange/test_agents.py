"""A service account marked automatic may decide, and both systems see that no person did (law 9)."""

import pytest

from support.systems.systems import FIRE, PASSWORD, Two


@pytest.mark.law(9)
async def test_an_automatic_account_decides_and_says_that_it_is_one(systems: Two) -> None:
    police, fire = systems
    account = {
        "name": "robot",
        "mc_service_id": f"sip:robot@{FIRE}",
        "roles": ["reviewer"],
        "automatic": True,
    }
    await fire.done("POST", "/accounts", account | {"password": PASSWORD})
    session = await fire.done("POST", "/sessions", {"account": "robot", "password": PASSWORD})
    _, accepted = await police.submit()
    id_ = accepted["id"]
    await police.reaches(id_, "stored")
    status, _ = await fire.review(id_, account=session["token"])
    assert status == 200
    await police.reaches(id_, "answered")
    answer = await police.done("POST", f"/requests/{id_}/retrieval")
    assert (answer["automatic"], answer["handler"]["mc_service_id"]) == (True, f"sip:robot@{FIRE}")

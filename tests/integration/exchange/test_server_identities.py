"""Law 14: what would need an invented server address is refused; versions are kept and named in the answer."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from acmx.domain.messages import PROBLEM
from support.systems.systems import EXAMPLES, FIRE, System, Two, eventually, two_systems

APPROVE_ALL = (
    '@id("all") permit (principal, action == Action::"approve", resource == Kind::"server-identity");'
)


def catalogue(name: str) -> dict[str, Any]:
    return tomllib.loads((EXAMPLES / "catalogues" / f"{name}.toml").read_text())


async def enter(system: System, document: dict[str, Any], **marks: bool) -> tuple[int, Any]:
    return await system.call("PUT", "/server-identities", {"server_identity": document} | marks)


@pytest.mark.law(14)
async def test_an_incomplete_catalogue_is_refused_unless_it_is_marked_so_and_both_sides_see_it(
    systems: Two,
) -> None:
    police, fire = systems
    incomplete = catalogue("county-fire")
    del incomplete["kms"]
    status, problem = await enter(fire, incomplete)
    assert (status, problem["type"], problem["missing"]) == (422, PROBLEM + "incomplete", ["kms"])
    assert (await fire.done("GET", "/server-identities"))["version"] == 1
    status, entered = await enter(fire, incomplete, incomplete=True)
    assert (status, entered["version"], entered["missing"]) == (200, 2, ["kms"])
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "stored")
    assert (await fire.exchange(accepted["id"]))["missing"] == ["kms"]
    await fire.review(accepted["id"])
    assert (await police.reaches(accepted["id"], "answered"))["missing"] == ["kms"]


@pytest.mark.law(14)
@pytest.mark.step(6, 12)
async def test_nothing_is_approved_while_there_is_nothing_to_give(systems: Two) -> None:
    police, fire = systems
    await police.done("PUT", "/policy", {"text": APPROVE_ALL})
    users = [f"sip:firefighter.1@{fire.id}"]
    _, accepted = await fire.submit(partner=police.id, users=users)
    await fire.reaches(accepted["id"], "stored")
    assert (await police.exchange(accepted["id"]))["state"] == "pending"
    status, problem = await police.review(accepted["id"])
    assert (status, problem["type"]) == (422, PROBLEM + "incomplete")
    assert (await police.review(accepted["id"], {"approved": False}))[0] == 200


@pytest.mark.law(12)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gms", "not a uri"),
        ("key", "0102030405"),
        ("mcptt_server", {"uri": "sip:x@a.example"}),
        ("colour", "red"),
        ("mc_system_id", "mc.metro-police.example"),
        ("mc_system_id", "sip:mc.metro-police.example"),
    ],
)
async def test_a_faulty_catalogue_is_refused_by_field_and_the_last_good_one_stays(
    field: str, value: Any, tmp_path: Path
) -> None:
    async with two_systems(tmp_path, start=False) as (_, fire):
        await fire.start()
        status, problem = await enter(fire, catalogue("county-fire") | {field: value})
        assert (status, problem["type"]) == (422, PROBLEM + "invalid-input")
        fault = problem["faults"][0]
        assert fault["field"].startswith(field) or field in fault["rule"]
        assert fault["rule"]
        assert (await fire.done("GET", "/server-identities"))["version"] == 1


@pytest.mark.step(13, 18)
@pytest.mark.parametrize("name", ["railway-frmcs", "mcdata-only", "ipv6-literals", "metro-police"])
async def test_a_catalogue_of_a_deployed_shape_travels_whole(name: str, systems: Two) -> None:
    police, fire = systems
    status, entered = await enter(fire, catalogue(name) | {"mc_system_id": FIRE})
    assert status == 200, entered
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "stored")
    await fire.review(accepted["id"])
    await police.reaches(accepted["id"], "answered")
    answer = await police.done("POST", f"/requests/{accepted['id']}/retrieval")
    assert answer["content"]["server_identity"] == entered["server_identity"]
    assert answer["content"]["catalogue"] == 2


@pytest.mark.law(10)
@pytest.mark.step(12, 13)
async def test_a_service_that_nobody_asked_for_is_not_given_away(systems: Two) -> None:
    police, fire = systems
    _, accepted = await police.submit(content={"services": ["mcdata", "mcvideo"]})
    await police.reaches(accepted["id"], "stored")
    await fire.review(accepted["id"])
    await police.reaches(accepted["id"], "answered")
    content = (await police.done("POST", f"/requests/{accepted['id']}/retrieval"))["content"]
    assert content["services"] == ["mcdata"]
    assert "mcdata_server" in content["server_identity"]
    assert content["server_identity"].get("mcptt_server") is None


async def test_who_holds_which_version_is_known_and_a_version_follows_the_one_that_was_seen(
    systems: Two,
) -> None:
    police, fire = systems
    for key in ("a", "b"):
        _, accepted = await police.submit(key)
        await police.reaches(accepted["id"], "stored")
        await fire.review(accepted["id"])
        await police.reaches(accepted["id"], "answered")
    holders = await fire.done("GET", "/server-identities/holders", account="reviewer")
    assert holders == {"items": [{"partner": police.id, "version": 1, "exchanges": 2}]}
    assert (await police.done("GET", "/server-identities/holders"))["items"] == []
    document = catalogue("county-fire") | {"lms": "sip:lms@mc.county-fire.example"}
    given = {"server_identity": document, "replaces": 1}
    assert (await fire.done("PUT", "/server-identities", given))["version"] == 2
    status, problem = await fire.call("PUT", "/server-identities", given)
    assert (status, problem["type"], problem["current"]) == (412, PROBLEM + "versions-differ", 2)
    await eventually(
        lambda: fire.done("GET", "/server-identities/holders"),
        lambda found: found["items"] == [{"partner": police.id, "version": 2, "exchanges": 2}],
    )

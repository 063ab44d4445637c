"""From answer to device through ACM-1: templates, and the documents of an approved exchange."""

import tomllib
from typing import Any

import pytest

from acmx.domain.messages import PROBLEM
from acmx.provisioning.ue_shape import check
from acmx.provisioning.xml import parse
from support.systems.systems import EXAMPLES, FIRE, System, Two, eventually

TEMPLATE: dict[str, Any] = tomllib.loads((EXAMPLES / "templates" / "county-fire.toml").read_text())


async def answered(police: System, fire: System, *verdicts: dict[str, Any], **changes: Any) -> str:
    _, accepted = await police.submit(**changes)
    id_: str = accepted["id"]
    await police.reaches(id_, "stored")
    status, said = await fire.review(id_, *verdicts)
    assert status == 200, said
    await police.reaches(id_, "answered")
    return id_


async def enter(police: System, template: dict[str, Any]) -> tuple[int, Any]:
    return await police.call(
        "PUT", f"/partners/{FIRE}/template", {"template": template}, account="identity-editor"
    )


async def test_the_documents_of_an_approved_exchange_are_made_and_made_again_alike(systems: Two) -> None:
    police, fire = systems
    id_ = await answered(police, fire)
    assert (await enter(police, TEMPLATE))[1]["version"] == 1
    documents = await police.done("GET", f"/requests/{id_}/documents")
    assert check(parse(documents["xml"].encode())) == []
    assert documents["users"] == [f"sip:officer.{n}@{police.id}" for n in (1, 2)]
    assert [entry["service"] for entry in documents["entries"]] == ["mcptt", "mcdata"]
    assert all(f">{FIRE}</Partner" in entry["xml"] for entry in documents["entries"])
    assert documents["sources"]["kms"] == "answer"
    assert documents["sources"]["timers"] == "template"
    assert await police.done("GET", f"/requests/{id_}/documents") == documents
    plain = await police.done("GET", f"/requests/{id_}/documents?rel13=true")
    assert "Service-Details" in documents["xml"]
    assert "Service-Details" not in plain["xml"]


@pytest.mark.law(14)
async def test_what_is_missing_is_named_and_nothing_is_made(systems: Two) -> None:
    police, fire = systems
    catalogue = tomllib.loads((EXAMPLES / "catalogues" / "county-fire.toml").read_text())
    del catalogue["kms"], catalogue["gms"]
    given = {"server_identity": catalogue, "incomplete": True}
    await fire.done("PUT", "/server-identities", given)
    id_ = await answered(police, fire)
    await enter(police, TEMPLATE)
    status, problem = await police.call("GET", f"/requests/{id_}/documents")
    assert (status, problem["type"]) == (422, PROBLEM + "not-provisionable")
    assert [fault["field"] for fault in problem["faults"]] == ["gms", "kms"]


async def test_only_approved_users_and_only_while_the_approval_holds(systems: Two) -> None:
    police, fire = systems
    users = [f"sip:officer.{n}@{police.id}" for n in (1, 2)]
    some = await answered(
        police,
        fire,
        {"approved": True, "users": users[:1]},
        {"approved": False},
    )
    await enter(police, TEMPLATE)
    assert (await police.done("GET", f"/requests/{some}/documents"))["users"] == users[:1]
    none = await answered(police, fire, {"approved": False}, key="none")
    status, problem = await police.call("GET", f"/requests/{none}/documents")
    assert (status, problem["type"]) == (409, PROBLEM + "not-now")
    assert "nobody was approved" in problem["detail"]
    until = f"{police.clock().replace(day=28):%Y-%m-%dT%H:%M:%SZ}"
    short = await answered(police, fire, key="short", valid_until=until)
    police.clock.advance(days=6)
    await police.tick()
    await eventually(lambda: police.exchange(short), lambda e: e["grant"] == "ended")
    status, problem = await police.call("GET", f"/requests/{short}/documents")
    assert (status, "ended" in problem["detail"]) == (409, True)
    assert (await police.call("GET", f"/requests/{some}/documents", account="requester"))[0] == 404
    assert (await fire.call("GET", f"/requests/{some}/documents"))[0] == 409


@pytest.mark.law(12)
async def test_a_template_that_breaks_a_rule_replaces_nothing(systems: Two) -> None:
    police, _ = systems
    assert (await police.done("GET", f"/partners/{FIRE}/template"))["version"] == 0
    await enter(police, TEMPLATE)
    status, problem = await enter(police, TEMPLATE | {"timers": {"t100": 300}, "zone": 1})
    assert (status, [f["field"] for f in problem["faults"]]) == (422, ["zone", "timers.t100"])
    kept = await police.done("GET", f"/partners/{FIRE}/template")
    assert (kept["version"], kept["template"]["timers"]["t100"]) == (1, 2)
    assert (await police.call("GET", "/partners/mc.nobody.example/template"))[0] == 404


async def test_secrets_of_a_template_are_never_shown_again_and_stay(systems: Two) -> None:
    police, fire = systems
    id_ = await answered(police, fire)
    tunnel = {"mutual": True, "x509": "CERTIFICATE", "key": "HUSH"}
    entered = (await enter(police, TEMPLATE | {"tls_tunnel_auth": tunnel}))[1]
    shown = await police.done("GET", f"/partners/{FIRE}/template")
    assert shown == entered
    assert shown["template"]["tls_tunnel_auth"] == {"mutual": True, "x509": "…", "key": "…"}
    await enter(police, shown["template"])
    xml = (await police.done("GET", f"/requests/{id_}/documents"))["xml"]
    assert "<key>HUSH<" in xml
    assert "HUSH" not in str(await police.rows("SELECT detail FROM journal"))

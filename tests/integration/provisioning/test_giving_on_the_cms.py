"""What was given and accepted, in documents and on the receiver's CMS."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from acmx.domain.telling import PROVISIONED
from acmx.provisioning.ue_shape import check as check_document
from acmx.provisioning.xml import parse
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges
from integration.exchange.test_giving import accepted, refused, run, set_terms
from integration.provisioning.test_provisioning import TEMPLATE, enter
from integration.provisioning.test_xcap import ADMIN, SERVICES, UE_PATH, USERS, ended, of_fire, rows, with_cms
from support.systems.systems import FIRE, System, eventually, two_systems

RAIL = "frmcs.railway.example"


async def provisioned(system: System, account: str) -> int:
    """How often this account was told so."""
    page = await system.done("GET", "/news", account=account)
    return [told["event"] for told in page["items"]].count(PROVISIONED)


def test_the_receiver_makes_the_documents_and_names_no_users_before(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await accepted(police, fire)
            await enter(police, TEMPLATE)
            documents = await police.done("GET", f"/requests/{id_}/documents", account="identity-editor")
            assert check_document(parse(documents["xml"].encode())) == []
            assert (documents["partner"], documents["users"], documents["catalogue"]) == (FIRE, [], 1)
            assert [entry["service"] for entry in documents["entries"]] == ["mcptt", "mcdata"]
            refused(
                await police.call("GET", f"/requests/{id_}/documents", account="requester"), 404, "not-found"
            )

    run(scenario())


def test_it_is_put_on_the_cms_for_the_users_that_the_receiver_names(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with with_cms(tmp_path) as (police, fire, cms):
            id_ = await accepted(police, fire)
            place = f"/requests/{id_}/provisionings"

            async def job(mode: str, account: str = "identity-editor", **users: Any) -> tuple[int, Any]:
                return await police.call("POST", place, {"mode": mode, **users}, account=account)

            for users in ([], ["officer.1"], [USERS[0], USERS[0]], [f"sip:firefighter.1@{FIRE}"]):
                said = await job("push", users=users)
                assert refused(said, 422, "invalid-input")["faults"][0]["field"].startswith("users")
            refused(await job("push", "requester", users=USERS), 404, "not-found")
            refused(await job("remove"), 409, "not-now")
            previewed = await ended(police, (await job("preview", users=USERS[:2]))[1]["id"])
            assert (previewed["state"], previewed["counts"]) == ("done", {"different": 5})
            pushed = await ended(police, (await job("push", users=USERS[:2]))[1]["id"])
            assert (pushed["state"], pushed["counts"], pushed["total"]) == ("done", {"written": 5}, 5)
            assert {row["xui"] for row in await rows(police, pushed["id"])} == {*USERS[:2], ADMIN}
            again = await ended(police, (await job("push", users=USERS))[1]["id"])
            assert again["counts"] == {"unchanged": 5, "written": 2}
            assert all(of_fire(cms, service, user) == 1 for service in SERVICES for user in USERS)
            assert UE_PATH in cms.documents
            refused(await job("remove", users=USERS), 422, "invalid-input")
            assert await provisioned(police, "identity-editor") == 2
            removed = await ended(police, (await job("remove"))[1]["id"])
            assert (removed["state"], removed["counts"]) == ("done", {"written": 7})
            assert not any(of_fire(cms, service, user) for service in SERVICES for user in USERS)
            assert UE_PATH not in cms.documents

    run(scenario())


def test_what_a_request_and_what_a_gift_put_there_is_kept_while_the_other_holds(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with with_cms(tmp_path) as (police, fire, cms):
            gift = await accepted(police, fire)
            _, asked = await police.submit("asked", users=USERS[1:])
            await police.reaches(asked["id"], "stored")
            await fire.review(asked["id"])
            await police.reaches(asked["id"], "answered")
            for id_, new in ((gift, {"mode": "push", "users": USERS[:2]}), (asked["id"], {"mode": "push"})):
                job = await police.done("POST", f"/requests/{id_}/provisionings", new)
                assert (await ended(police, job["id"]))["state"] == "done"
            refused(
                await police.call(
                    "POST", f"/requests/{asked['id']}/provisionings", {"mode": "push", "users": USERS}
                ),
                422,
                "invalid-input",
            )
            for id_, kept in ((asked["id"], USERS[:2]), (gift, USERS[1:2])):
                job = await police.done("POST", f"/requests/{id_}/provisionings", {"mode": "remove"})
                assert (await ended(police, job["id"]))["state"] == "done"
                left = {user for user in USERS if of_fire(cms, "mcptt", user)}
                assert left == set(kept)

    run(scenario())


def test_when_what_was_accepted_has_ended_nothing_more_is_put_there(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with with_cms(tmp_path) as (police, fire, _):
            ends = (police.clock() + timedelta(days=2)).isoformat()
            id_ = await accepted(police, fire, valid_until=ends)
            police.clock.advance(days=3)  # type: ignore[attr-defined]
            for system in (police, fire):
                await system.tick()
                assert (await system.exchange(id_))["grant"] == "ended"
            new = {"mode": "push", "users": USERS}
            refused(await police.call("POST", f"/requests/{id_}/provisionings", new), 409, "not-now")

    run(scenario())


def test_what_has_ended_is_taken_out_by_itself_where_the_terms_say_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with with_cms(tmp_path) as (police, fire, cms):
            await set_terms(police, FIRE, reprovision=True)
            ends = (police.clock() + timedelta(days=2)).isoformat()
            id_ = await accepted(police, fire, valid_until=ends)
            job = await police.done(
                "POST", f"/requests/{id_}/provisionings", {"mode": "push", "users": USERS}
            )
            assert (await ended(police, job["id"]))["counts"] == {"written": 7}
            assert "on_cms" not in await police.exchange(id_)
            police.clock.advance(days=3)  # type: ignore[attr-defined]
            await eventually(
                lambda: police.done("GET", f"/requests/{id_}/provisionings"),
                lambda page: (page["items"][0]["mode"], page["items"][0]["state"]) == ("remove", "done"),
            )
            assert await provisioned(police, "admin") == 2
            assert not any(of_fire(cms, service, user) for service in SERVICES for user in USERS)

    run(scenario())


def test_neither_the_giver_nor_the_receiver_takes_a_gift_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await accepted(police, fire)
            for system in (police, fire):
                said = await system.call("POST", f"/requests/{id_}/revocation", {"reason": "no more"})
                refused(said, 409, "not-now")

    run(scenario())


def test_a_partner_that_names_another_system_does_not_take_its_place_on_the_cms(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with with_cms(tmp_path) as (police, fire, cms):
            held = await fire.done("GET", "/server-identities")
            forged = json.dumps(held["server_identity"] | {"mc_system_id": RAIL})
            await fire.store.write(
                lambda tx: tx.execute("UPDATE catalogue SET body = :body", {"body": forged.encode()})
            )
            id_ = await accepted(police, fire)
            before = dict(cms.documents)
            for mode in ("push", "preview"):
                new = {"mode": mode, "users": USERS}
                said = await police.call("POST", f"/requests/{id_}/provisionings", new)
                fault = refused(said, 422, "not-provisionable")["faults"][0]
                assert (fault["field"], fault["value"]) == ("mc_system_id", RAIL)
            said = await police.call("GET", f"/requests/{id_}/documents")
            refused(said, 422, "not-provisionable")
            assert cms.documents == before

    run(scenario())


def test_of_two_that_primaries_minted_alike_the_named_one_is_put_there(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with with_cms(tmp_path) as (police, fire, _):
            id_ = await accepted(police, fire)
            new = {"mode": "push", "users": USERS}
            job = await police.done("POST", f"/requests/{id_}/provisionings", new)

            def mint_alike(tx: Tx) -> None:
                [ours] = exchanges.named(tx, id_)
                twin = msgspec.structs.replace(ours, serial=None, primary_system=RAIL, partner=RAIL)
                assert exchanges.insert(tx, twin)

            await police.store.write(mint_alike)
            [listed] = (await police.done("GET", f"/requests/{FIRE}:{id_}/provisionings"))["items"]
            assert listed["id"] == job["id"]
            assert (await police.done("GET", f"/requests/{RAIL}:{id_}/provisionings"))["items"] == []
            twin = f"/requests/{RAIL}:{id_}/provisionings"
            refused(await police.call("POST", twin, new), 409, "not-now")
            said = refused(await police.call("POST", f"/requests/{id_}/provisionings", new), 404, "not-found")
            assert f"{RAIL}:{id_}" in said["detail"]
            assert (await ended(police, job["id"]))["state"] == "done"

    run(scenario())

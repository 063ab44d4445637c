"""What a partner changes or takes back, on the CMS: by itself where the terms say so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from acmx.flows.provisioning import end_provisioning
from acmx.storage import provisionings
from acmx.storage.engine import Tx
from integration.provisioning.test_provisioning import answered
from integration.provisioning.test_xcap import (
    SERVICES,
    UE_PATH,
    USERS,
    carried_out,
    ended,
    of_fire,
    rows,
    with_cms,
)
from support.partner.xcap import Xcap
from support.systems.restores import run
from support.systems.systems import FIRE, POLICE, System, eventually
from support.systems.updates import ASKER, CATALOGUE, KMS, gets, grant_is, publish, revoke, told

TERMS = {"kinds": ["server-identity"], "max_open": 1000, "max_users": 10_000, "max_per_hour": 3600}


@asynccontextmanager
async def pushed(tmp: Path, *, reprovision: bool, **changes: Any) -> AsyncIterator[tuple[Any, ...]]:
    """An exchange whose documents are on the CMS."""
    async with with_cms(tmp) as (police, fire, cms):
        await police.done("PUT", f"/partners/{FIRE}/terms", TERMS | {"reprovision": reprovision})
        id_ = await answered(police, fire, users=USERS, **changes)
        job = await carried_out(police, id_)
        assert job["counts"] == {"written": 7}
        yield police, fire, cms, id_


async def the_job_of_policy(police: System, id_: str, mode: str) -> Any:
    """The job that was started by itself, once it has ended."""

    async def look() -> Any:
        return (await police.done("GET", f"/requests/{id_}/provisionings"))["items"][0]

    job = await eventually(look, lambda job: (job["started_by"], job["mode"]) == ("policy", mode))
    return await ended(police, job["id"])


def has(cms: Xcap, user: str) -> list[int]:
    return [of_fire(cms, service, user) for service in SERVICES]


def test_what_is_on_the_cms_follows_by_itself_where_the_terms_say_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pushed(tmp_path, reprovision=True) as (police, fire, cms, id_):
            await publish(fire, kms=KMS)
            job = await the_job_of_policy(police, id_, "push")
            assert (job["counts"], job["catalogue"]) == ({"written": 7}, 2)
            assert KMS.encode() in cms.documents[UE_PATH]
            await revoke(fire, id_, USERS[1])
            job = await eventually(
                lambda: the_job_of_policy(police, id_, "push"), lambda found: found["id"] != job["id"]
            )
            assert job["counts"] == {"unchanged": 5, "written": 2}
            assert [has(cms, user) for user in USERS] == [[1, 1], [0, 0], [1, 1]]
            await revoke(fire, id_)
            job = await the_job_of_policy(police, id_, "remove")
            assert [has(cms, user) for user in USERS] == [[0, 0]] * 3
            assert UE_PATH not in cms.documents
            shown = await police.exchange(id_)
            assert "on_cms" not in shown
            started = [e["actor"] for e in shown["journal"] if e["event"] == "provisioning-started"]
            assert started[1:] == ["policy"] * 3
            assert await police.rows("SELECT * FROM provisioning_wanted") == []

    run(scenario())


def test_without_that_it_is_offered(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pushed(tmp_path, reprovision=False) as (police, fire, cms, id_):
            assert "on_cms" not in await police.exchange(id_)
            await publish(fire, kms=KMS)
            assert (await gets(police, id_, kms=KMS))["on_cms"] == "older"
            assert KMS.encode() not in cms.documents[UE_PATH]
            assert (await carried_out(police, id_))["counts"] == {"written": 7}
            assert KMS.encode() in cms.documents[UE_PATH]
            assert "on_cms" not in await police.exchange(id_)
            await revoke(fire, id_)
            assert (await grant_is(police, id_, "revoked"))["on_cms"] == "to-remove"
            status, refused = await police.call("POST", f"/requests/{id_}/provisionings", {"mode": "push"})
            assert (status, refused["detail"]) == (409, "the approval is revoked")
            assert (await carried_out(police, id_, "remove"))["counts"] == {"written": 7}
            assert "on_cms" not in await police.exchange(id_)
            assert await police.rows("SELECT * FROM provisioning WHERE started_by = 'policy'") == []

    run(scenario())


def test_a_grant_that_runs_out_is_taken_out_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        ends = "2026-11-25T08:00:00Z"
        async with pushed(tmp_path, reprovision=True, valid_until=ends) as (police, _, cms, id_):
            police.clock.advance(days=3)
            job = await the_job_of_policy(police, id_, "remove")
            assert job["counts"] == {"written": 7}
            assert UE_PATH not in cms.documents
            assert (await police.exchange(id_))["grant"] == "ended"

    run(scenario())


def test_a_preview_says_whose_entries_are_taken_out_and_a_service_that_is_gone_goes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pushed(tmp_path, reprovision=False) as (police, fire, cms, id_):
            await revoke(fire, id_, USERS[0])
            await eventually(lambda: police.exchange(id_), lambda e: e.get("on_cms") == "older")
            preview = await carried_out(police, id_, "preview")
            assert preview["counts"] == {"different": 2, "unchanged": 5}
            details = {row["detail"] for row in await rows(police, preview["id"], "different")}
            assert details == {"entry taken out"}
            await publish(fire, mcdata_server=None)
            await gets(police, id_, mcdata_server=None)
            await carried_out(police, id_)
            assert [has(cms, user) for user in USERS] == [[0, 0], [1, 0], [1, 0]]

    run(scenario())


def test_the_asker_hears_once_how_a_job_ended(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pushed(tmp_path, reprovision=False) as (police, _, cms, id_):
            assert await told(police, "provisioned") == ASKER
            await carried_out(police, id_, "preview")
            cms.documents = {path: d for path, d in cms.documents.items() if USERS[0] not in path}
            await carried_out(police, id_)
            assert await told(police, "partly-provisioned") == ASKER
            cms.documents = {}
            assert (await carried_out(police, id_))["counts"]["failed"] == 6
            assert await told(police, "partly-provisioned") == ASKER * 2
            assert await told(police, "provisioned") == ASKER
            assert await told(police, "not-provisioned") == []

    run(scenario())


def test_what_cannot_be_put_there_by_itself_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pushed(tmp_path, reprovision=True) as (police, fire, _, id_):
            identity = {k: v for k, v in CATALOGUE.items() if k not in ("hplmn", "tls_tunnel_auth")}
            await police.done(
                "PUT", f"/partners/{FIRE}/template", {"template": {}}, account="identity-editor"
            )
            given = {"server_identity": identity, "incomplete": True}
            await fire.done("PUT", "/server-identities", given)
            await eventually(lambda: told(police, "not-provisioned"), lambda found: found == ASKER)
            [entry] = [
                e for e in (await police.exchange(id_))["journal"] if e["event"] == "provisioning-not-started"
            ]
            assert entry["actor"] == "policy"
            assert await police.rows("SELECT * FROM provisioning_wanted") == []

    run(scenario())


def test_a_push_of_what_was_revoked_since_is_not_wanted_any_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pushed(tmp_path, reprovision=False) as (police, fire, _, id_):

            def look(tx: Tx) -> str | None:
                [job] = provisionings.of_exchange(tx, POLICE, id_)
                return end_provisioning.still_wanted(tx, job)

            await publish(fire, kms=KMS)
            await gets(police, id_, kms=KMS)
            assert await police.store.read(look) is None
            await revoke(fire, id_, USERS[0])
            await eventually(lambda: police.exchange(id_), lambda e: e.get("revocations"))
            assert await police.store.read(look) == "the approval of some users was revoked meanwhile"
            await revoke(fire, id_)
            await grant_is(police, id_, "revoked")
            assert await police.store.read(look) == "the approval is revoked"

    run(scenario())

"""Documents are put on the own CMS: two systems, a CMS, and what CMSs do."""

import asyncio
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from lxml import etree

from acmx import config
from acmx.bootstrap.doctor.doctor import examine
from acmx.domain.errors import Misconfigured
from acmx.provisioning.names import UE_AUID
from acmx.storage.provisionings import JobChanged
from integration.provisioning.test_provisioning import TEMPLATE, answered, enter
from support.partner.xcap import OTHER_PARTNER, Xcap, error_body, path_of, xcap_server
from support.systems.systems import FIRE, POLICE, System, eventually, two_systems

ADMIN = "sip:admin@mc.metro-police.example"
SERVICES = ("mcptt", "mcdata")
USERS = [f"sip:officer.{n}@{POLICE}" for n in range(1, 4)]
UE_PATH = f"{UE_AUID}/users/{ADMIN}/ue-init-config-{FIRE}.xml"


@asynccontextmanager
async def with_cms(tmp: Path, **settings: Any) -> AsyncIterator[tuple[System, System, Xcap]]:
    """The police have a CMS with the profiles of USERS."""
    async with xcap_server(tmp) as cms, two_systems(tmp / "systems", start=False) as (police, fire):
        cms.put_profiles(USERS, *SERVICES)
        given = {"root": cms.url, "ca_file": str(tmp / "cms.pem"), **settings}
        set_xcap(police, **given)
        await police.start()
        await fire.start()
        assert (await enter(police, TEMPLATE | {"admin_xui": ADMIN}))[0] == 200
        yield police, fire, cms


def set_xcap(system: System, **settings: Any) -> None:
    path = system.directory / "config.toml"
    document = tomllib.loads(path.read_text())
    document["xcap"] |= settings
    path.write_text(tomli_w.dumps(document))
    system.config = config.read(path)


async def start(police: System, id_: str, mode: str = "push", account: str = "admin") -> str:
    status, job = await police.call("POST", f"/requests/{id_}/provisionings", {"mode": mode}, account=account)
    assert status == 201, job
    return str(job["id"])


async def look(police: System, job: str) -> Any:
    return await police.done("GET", f"/provisionings/{job}")


async def ended(police: System, job: str, *, within: float = 20.0, step: int = 2) -> Any:
    """The job once it has ended; the clock goes on meanwhile, so that what is put off comes up again."""

    async def go_on() -> Any:
        found = await look(police, job)
        police.clock.advance(seconds=step)
        await police.store.write(lambda tx: tx.signal(JobChanged(job, "running")))
        return found

    return await eventually(
        go_on, lambda found: found["state"] not in ("preparing", "running"), within=within
    )


async def carried_out(police: System, id_: str, mode: str = "push") -> Any:
    return await ended(police, await start(police, id_, mode))


async def rows(police: System, job: str, state: str = "") -> list[Any]:
    found, after = [], ""
    while True:
        query = f"limit=3{after}" + (f"&state={state}" if state else "")
        page = await police.done("GET", f"/provisionings/{job}/rows?{query}")
        found += page["items"]
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"


def canonical(document: bytes) -> bytes:
    return etree.tostring(etree.fromstring(document).getroottree(), method="c14n")


def of_fire(cms: Xcap, service: str, user: str) -> int:
    return sum(entry[0].text == FIRE for entry in cms.entry(service, user))


async def test_profiles_first_then_the_document_and_once(tmp_path: Path) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        id_ = await answered(police, fire, users=USERS)
        job = await carried_out(police, id_)
        assert (job["state"], job["counts"], job["total"]) == ("done", {"written": 7}, 7)
        puts = [path for method, path, _ in cms.log if method == "PUT"]
        assert puts[-1] == UE_PATH
        assert set(puts[:-1]) == {path_of(service, user) for service in SERVICES for user in USERS}
        assert cms.log[0][1] == "xcap-caps/global/index"
        assert all(of_fire(cms, s, u) == 1 for s in SERVICES for u in USERS)
        documents = await police.done("GET", f"/requests/{id_}/documents")
        assert cms.documents[UE_PATH] == documents["xml"].encode()
        found = await rows(police, job["id"])
        assert [row["n"] for row in found] == list(range(7))
        assert (found[-1]["service"], found[-1]["xui"]) == ("ue", ADMIN)
        again = await carried_out(police, id_)
        assert again["counts"] == {"unchanged": 7}
        assert set(cms.written().values()) == {1}
        events = [
            (e["event"], e["actor"], e["detail"].get("written"))
            for e in (await police.exchange(id_))["journal"]
            if e["event"].startswith("provisioning")
        ]
        assert events[:2] == [
            ("provisioning-started", f"sip:admin@{POLICE}", None),
            ("provisioning-ended", "provisioner", 7),
        ]
        listed = (await police.done("GET", f"/requests/{id_}/provisionings"))["items"]
        assert [one["id"] for one in listed] == [again["id"], job["id"]]


async def test_c9_the_entries_of_other_partners_and_unknown_extensions_survive(tmp_path: Path) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        before = dict(cms.documents)
        id_ = await answered(police, fire, users=USERS)
        await carried_out(police, id_)
        path = path_of("mcptt", USERS[0])
        assert [entry[0].text for entry in cms.entry("mcptt", USERS[0])] == [OTHER_PARTNER, FIRE]
        assert b'kind="q:good"' in cms.documents[path]
        assert b"urn:used-in-a-value" in cms.documents[path]
        job = await carried_out(police, id_, "remove")
        assert job["counts"] == {"written": 7}
        assert UE_PATH not in cms.documents
        for path, document in before.items():
            assert canonical(cms.documents[path]) == canonical(document)


async def test_c8_a_newer_answer_replaces_the_entry_and_a_preview_says_so_before(tmp_path: Path) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        id_ = await answered(police, fire, users=USERS)
        first = await carried_out(police, id_, "preview")
        assert first["counts"] == {"different": 7}
        assert {row["detail"] for row in await rows(police, first["id"])} == {"new entry", "new document"}
        assert not cms.written()
        await carried_out(police, id_)
        await enter(police, TEMPLATE | {"admin_xui": ADMIN, "timers": {"t100": 9}})
        preview = await carried_out(police, id_, "preview")
        assert preview["counts"] == {"different": 7}
        assert all("Timers/T100: 2 -> 9" in row["detail"] for row in await rows(police, preview["id"]))
        assert set(cms.written().values()) == {1}
        await carried_out(police, id_)
        assert all(of_fire(cms, s, u) == 1 for s in SERVICES for u in USERS)
        assert (await carried_out(police, id_, "preview"))["counts"] == {"unchanged": 7}


async def test_c10_changed_by_somebody_else_it_is_merged_and_nothing_is_lost(tmp_path: Path) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        cms.faults.changes = 5
        job = await carried_out(police, await answered(police, fire, users=USERS))
        assert job["counts"] == {"written": 7}
        assert 412 in {status for _, _, status in cms.log}
        kept = sum(document.count(b"by somebody else") for document in cms.documents.values())
        assert kept == 5


async def test_c11_what_the_cms_refuses_is_shown_and_the_others_are_written(tmp_path: Path) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        cms.faults.refuses["officer.2"] = error_body('<constraint-failure phrase="officer 2 may not"/>')
        del cms.documents[path_of("mcptt", USERS[2])]
        job = await carried_out(police, await answered(police, fire, users=USERS))
        assert (job["state"], job["counts"]) == ("done", {"failed": 3, "written": 4})
        failed = await rows(police, job["id"], "failed")
        details = {(row["xui"], row["service"]): row["detail"] for row in failed}
        assert "officer 2 may not" in details[USERS[1], "mcptt"]
        assert "no such profile" in details[USERS[2], "mcptt"]
        refused = [path for _, path, status in cms.log if status == 409]
        assert len(refused) == len(set(refused)) == 2


@pytest.mark.parametrize(
    "faults",
    [
        {"breaks": 0.3},
        {"drops_after": 3},
        {"etags": "not on put"},
        {"etags": "sometimes"},
        {"no_content": True},
        {"redirect": "307", "redirects": 3},
        {"retry_after": 2},
        {"slow": 0.02},
    ],
    ids=lambda faults: next(iter(faults)),
)
async def test_a_cms_with_faults_is_served_all_the_same(faults: dict[str, Any], tmp_path: Path) -> None:
    async with with_cms(tmp_path, at_a_time=2) as (police, fire, cms):
        for name, value in faults.items():
            setattr(cms.faults, name, value)
        job = await carried_out(police, await answered(police, fire, users=USERS))
        failed = await rows(police, job["id"], "failed")
        assert (job["state"], job["counts"]) == ("done", {"written": 7}), failed
        assert set(cms.written().values()) == {1}
        assert all(of_fire(cms, s, u) == 1 for s in SERVICES for u in USERS)
        assert cms.most <= 2


async def test_a_cms_without_etags_is_never_written_to(tmp_path: Path) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        cms.faults.etags = "never"
        job = await carried_out(police, await answered(police, fire, users=USERS))
        assert job["counts"] == {"failed": 6, "written": 1}
        assert set(cms.written()) == {UE_PATH}


async def test_a_document_at_which_the_cms_breaks_down_fails_alone(tmp_path: Path) -> None:
    async with with_cms(tmp_path, at_a_time=1) as (police, fire, cms):
        cms.faults.drops_on = path_of("mcdata", USERS[0])
        job = await carried_out(police, await answered(police, fire, users=USERS))
        assert (job["state"], job["counts"]) == ("done", {"failed": 1, "written": 6})
        (row,) = await rows(police, job["id"], "failed")
        assert (row["xui"], row["attempts"]) == (USERS[0], 8)


async def test_while_the_cms_is_down_everything_waits_and_it_is_not_pestered(tmp_path: Path) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        cms.faults.silent = True
        id_ = await answered(police, fire, users=USERS)
        job = await start(police, id_)
        held = await eventually(lambda: look(police, job), lambda found: "last_error" in found)
        assert (held["state"], held["counts"]) == ("running", {"waiting": 7})
        assert "does not answer" in held["last_error"]
        failed = "SELECT failures FROM provisioning"
        for number in range(1, 13):
            await eventually(lambda: police.rows(failed), lambda found, n=number: found[0][0] >= n)
            police.clock.advance(minutes=15)
            await police.store.write(lambda tx: tx.signal(JobChanged(job, "running")))
        assert {path for _, path, _ in cms.log} == {"xcap-caps/global/index"}
        cms.faults.silent = False
        found = await ended(police, job, step=900)
        assert (found["counts"], "last_error" in found) == ({"written": 7}, False)


async def test_a_token_is_read_again_once_it_is_not_taken_any_more(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    async with with_cms(tmp_path, token_file=str(token)) as (police, fire, cms):
        cms.faults.token = "second"
        job = await start(police, await answered(police, fire, users=USERS))
        held = await eventually(lambda: look(police, job), lambda found: "last_error" in found)
        assert "401" in held["last_error"]
        token.write_text("second")
        assert (await ended(police, job))["counts"] == {"written": 7}
        cms.faults.token = "third"
        token.write_text("third")
        at_once = await start(police, await answered(police, fire, key="again", users=USERS))
        await eventually(lambda: look(police, at_once), lambda found: found["state"] == "done")
        assert "second" not in str(await police.rows("SELECT detail FROM journal"))


async def test_an_identity_is_asserted_and_who_is_not_allowed_is_told(tmp_path: Path) -> None:
    async with with_cms(tmp_path, asserted_identity=f"sip:acm@{POLICE}") as (police, fire, cms):
        cms.faults.identity = f"sip:acm@{POLICE}"
        id_ = await answered(police, fire, users=USERS)
        assert (await carried_out(police, id_))["counts"] == {"written": 7}
        cms.faults.identity = "sip:somebody.else@a.example"
        refused = await carried_out(police, id_)
        assert refused["state"] == "failed"
        assert "403" in refused["last_error"]


async def test_a_cms_that_does_not_know_our_usages_is_not_asked_for_more(tmp_path: Path) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        cms.faults.auids = cms.faults.auids[:2]
        job = await carried_out(police, await answered(police, fire, users=USERS))
        assert (job["state"], job["counts"]) == ("failed", {"waiting": 7})
        assert "org.3gpp.mcdata.user-profile" in job["last_error"]
        assert len(cms.log) == 1


async def test_what_another_exchange_with_the_partner_still_approves_is_not_removed(tmp_path: Path) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        first = await answered(police, fire, users=USERS)
        await answered(police, fire, key="other", users=USERS[:1])
        await carried_out(police, first)
        job = await carried_out(police, first, "remove")
        assert job["counts"] == {"unchanged": 3, "written": 4}
        assert [of_fire(cms, "mcptt", user) for user in USERS] == [1, 0, 0]
        assert UE_PATH in cms.documents


async def test_who_may_and_what_is_needed(tmp_path: Path) -> None:
    async with with_cms(tmp_path) as (police, fire, _):
        id_ = await answered(police, fire, users=USERS)
        place = f"/requests/{id_}/provisionings"
        for account, status in (("requester", 404), ("identity-editor", 201), ("auditor", 403)):
            got = await police.call("POST", place, {"mode": "preview"}, account=account)
            assert got[0] == status, got
        job = (await police.done("GET", place))["items"][0]["id"]
        await ended(police, job)
        assert (await police.call("GET", f"/provisionings/{job}", account="requester"))[0] == 404
        assert (await police.call("GET", f"/provisionings/{job}/rows?state=odd"))[0] == 422
        assert (await police.call("POST", f"/provisionings/{job}/cancellation"))[0] == 409
        await enter(police, TEMPLATE | {"admin_xui": None})
        status, problem = await police.call("POST", place, {"mode": "push"})
        assert (status, [f["field"] for f in problem["faults"]]) == (422, ["admin_xui"])
        assert (await fire.call("POST", place, {"mode": "push"}))[0] == 404
        set_xcap(police, root="")
        await police.restart()
        status, problem = await police.call("POST", place, {"mode": "remove"})
        assert (status, "[xcap]" in problem["detail"]) == (409, True)


async def test_the_doctor_asks_the_cms_what_it_knows(tmp_path: Path) -> None:
    async with (
        xcap_server(tmp_path) as cms,
        two_systems(tmp_path / "systems", start=False) as (police, _),
    ):
        token = police.directory / "cms.token"
        token.write_text("secret")
        set_xcap(police, root=cms.url, ca_file=str(tmp_path / "cms.pem"), token_file="cms.token")

        async def finding(name: str) -> tuple[str, str]:
            findings = (await asyncio.to_thread(examine, police.directory)).items
            return next((found.status, found.text) for found in findings if found.name == name)

        assert (await finding("CMS"))[0] == "ok"
        assert "cms.token" in (await finding("modes"))[1]
        cms.faults.auids = ()
        assert "does not know" in (await finding("CMS"))[1]
        cms.faults.silent = True
        assert "does not answer" in (await finding("CMS"))[1]
        token.unlink()
        assert "cannot be read" in (await finding("CMS"))[1]
        with pytest.raises(Misconfigured):
            await police.start()
        await police.store.close()

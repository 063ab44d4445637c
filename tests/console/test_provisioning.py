"""From answer to device in a browser: what would change, progress as it happens, results, and taking it out again."""

import asyncio
import re
from io import BytesIO
from zipfile import ZipFile

from playwright.async_api import expect

from integration.exchange.test_giving import accepted
from integration.provisioning.test_provisioning import TEMPLATE, answered, enter
from integration.provisioning.test_xcap import ADMIN, SERVICES, USERS, carried_out, ended, of_fire, with_cms
from support.partner.xcap import path_of
from support.systems.browsers import a_browser, seated
from support.systems.pages import opened
from support.systems.systems import POLICE, System, eventually

STRANGER = "sip:officer.9@mc.rail.example"


def place(id_: str) -> str:
    return f"/exchanges/{id_}/provisioning"


async def jobs(police: System, id_: str) -> list[str]:
    """The modes of those that were begun, oldest first."""
    found = (await police.done("GET", f"/requests/{id_}/provisionings"))["items"]
    return [job["mode"] for job in found][::-1]


async def test_a_preview_a_push_that_is_watched_and_a_removal(tmp_path):
    async with with_cms(tmp_path) as (police, fire, cms), a_browser() as browser:
        id_ = await answered(police, fire, users=USERS)
        del cms.documents[path_of("mcptt", USERS[1])]
        async with seated(browser, police, "admin") as desk:
            page = desk.page
            await desk.open(f"/exchanges/{id_}")
            await page.get_by_role("link", name="Provisioning").click()
            await expect(page.get_by_text("For the 3 users who were approved.")).to_be_visible()
            await page.get_by_role("button", name="Preview the differences").click()
            await expect(page.get_by_role("link", name="would change 6")).to_be_visible()
            await page.get_by_role("link", name="failed 1").click()
            row = page.get_by_role("row", name=USERS[1])
            await expect(row).to_contain_text("the user has no such profile on the CMS (404)")
            assert cms.written() == {}
            cms.put_profiles([USERS[1]], "mcptt")
            cms.faults.gate = asyncio.Event()
            await page.get_by_role("button", name="Put on the CMS").click()
            await expect(page.get_by_text("0 of 7 documents")).to_be_visible()
            await expect(page.get_by_role("button", name="Put on the CMS")).to_have_count(0)
            cms.faults.gate.set()
            await expect(page.get_by_role("link", name="written 7")).to_be_visible()
            await expect(page.get_by_role("button", name="Put on the CMS")).to_be_visible()
            assert all(of_fire(cms, s, u) == 1 for s in SERVICES for u in USERS)
            await page.get_by_role("link", name="Remove from the CMS").click()
            assert await jobs(police, id_) == ["preview", "push"]
            await page.get_by_role("button", name="Remove").click()
            await expect(page.get_by_role("link", name="removed 7")).to_be_visible()
            assert not any(of_fire(cms, s, u) for s in SERVICES for u in USERS)


async def test_what_is_on_its_way_is_cancelled_with_javascript_off(tmp_path):
    async with with_cms(tmp_path) as (police, fire, cms), a_browser() as browser:
        id_ = await answered(police, fire, users=USERS)
        cms.faults.gate = asyncio.Event()
        async with seated(browser, police, "admin", java_script_enabled=False) as desk:
            await desk.open(place(id_))
            await desk.page.get_by_role("button", name="Put on the CMS").click()
            await desk.page.get_by_role("button", name="Cancel").click()
            await expect(desk.page.get_by_text("It is cancelled")).to_be_visible()
            cms.faults.gate.set()
            await desk.open(place(id_))
            await expect(desk.page.get_by_text("cancelled", exact=True).first).to_be_visible()


async def test_a_form_that_is_sent_twice_begins_one_job(tmp_path):
    async with with_cms(tmp_path) as (police, fire, _):
        id_ = await answered(police, fire, users=USERS)
        form = {"mode": "push", "last": ""}
        replies = await asyncio.gather(
            *(opened(police, "POST", place(id_), form, token="admin") for _ in range(3))
        )
        assert [reply.status for reply in replies] == [303, 303, 303]
        told = sorted(reply.headers["Location"].partition("told=")[2] for reply in replies)
        assert told == ["job_begun", "job_under_way", "job_under_way"]
        [job] = (await police.done("GET", f"/requests/{id_}/provisionings"))["items"]
        await ended(police, job["id"])
        late = await opened(police, "POST", place(id_), form, token="admin")
        assert late.headers["Location"].endswith("told=job_under_way")
        assert await jobs(police, id_) == ["push"]


async def test_everything_that_is_missing_is_said_at_once(tmp_path):
    async with with_cms(tmp_path) as (police, fire, _):
        id_ = await answered(police, fire)
        template = {name: value for name, value in TEMPLATE.items() if name != "tls_tunnel_auth"}
        await enter(police, template)
        catalogue = (await fire.done("GET", "/server-identities"))["server_identity"]
        for name in ("kms", "gms", "tls_tunnel_auth"):
            del catalogue[name]
        await fire.done("PUT", "/server-identities", {"server_identity": catalogue, "incomplete": True})
        await eventually(lambda: police.exchange(id_), lambda exchange: bool(exchange.get("updates")))
        page = await opened(police, "GET", place(id_), token="admin")
        missing = re.findall(r"<li><code>(\w+)</code>", page.text)
        assert {"kms", "gms", "tls_tunnel_auth"} <= set(missing)
        assert "Nothing can be put there as it stands." in page.text
        assert 'value="push"' not in page.text


async def test_documents_are_taken_away_laid_out_as_the_command_does(tmp_path):
    async with with_cms(tmp_path) as (police, fire, _):
        id_ = await answered(police, fire, users=USERS)
        async with police.http.get(
            police.url.removesuffix("/acm1/v1") + f"/console{place(id_)}/documents",
            headers={"Cookie": "__Host-acmx=admin"},
        ) as reply:
            assert reply.headers["Content-Disposition"].startswith("attachment;")
            archive = ZipFile(BytesIO(await reply.read()))
        made = await police.done("GET", f"/requests/{id_}/documents")
        assert archive.read(made["name"]).decode() == made["xml"]
        entry = made["entries"][0]
        for user in ("sip%3Aofficer.1@", "sip%3Aofficer.3@"):
            assert archive.read(f"users/{user}{POLICE}/{entry['name']}").decode() == entry["xml"]
        assert len(archive.namelist()) == len(USERS) * len(SERVICES) + 2


async def test_who_was_given_something_unasked_names_the_users(tmp_path):
    async with with_cms(tmp_path) as (police, fire, cms), a_browser() as browser:
        id_ = await accepted(police, fire)
        async with seated(browser, police, "identity-editor") as desk:
            page = desk.page
            await desk.open(f"/exchanges/{id_}")
            await page.get_by_role("link", name="Provisioning").click()
            users = page.get_by_label("Users")
            await users.fill(f"{USERS[0]}\n{STRANGER}")
            await page.get_by_role("button", name="Put on the CMS").click()
            await expect(page.locator("#users-fault-1")).to_have_text(f"does not belong to {POLICE}")
            await expect(users).to_have_value(f"{USERS[0]}\n{STRANGER}")
            await users.fill(USERS[0])
            desk.troubles.clear()
            await page.get_by_role("button", name="Preview the differences").click()
            await expect(page.get_by_role("link", name="would change 3")).to_be_visible()
            await expect(users).to_have_value(USERS[0])
            await page.get_by_role("button", name="Put on the CMS").click()
            await expect(page.get_by_role("link", name="written 3")).to_be_visible()
        assert [of_fire(cms, "mcptt", user) for user in USERS] == [1, 0, 0]


async def test_an_identity_editor_provisions_what_somebody_else_asked_for_without_seeing_it(tmp_path):
    async with with_cms(tmp_path) as (police, fire, _), a_browser() as browser:
        id_ = await answered(police, fire, users=USERS)
        assert (await opened(police, "GET", f"/exchanges/{id_}", token="identity-editor")).status == 404
        async with seated(browser, police, "identity-editor") as desk:
            page = desk.page
            await desk.open("/exchanges")
            await page.get_by_label("Exchange of somebody else").fill(id_)
            await page.get_by_role("button", name="Provisioning").click()
            await page.get_by_role("button", name="Preview the differences").click()
            await expect(page.get_by_role("link", name="would change 7")).to_be_visible()
            await page.get_by_role("button", name="Put on the CMS").click()
            await expect(page.get_by_role("link", name="written 7")).to_be_visible()
            await page.get_by_role("link", name="Remove from the CMS").click()
            await page.get_by_role("button", name="Remove").click()
            await expect(page.get_by_role("link", name="removed 7")).to_be_visible()
        assert await jobs(police, id_) == ["preview", "push", "remove"]
        for path in (place(id_), f"{place(id_)}/removal"):
            shown = await opened(police, "GET", path, token="identity-editor")
            assert (shown.status, "flood in the harbour" in shown.text) == (200, False)


async def test_only_who_may_sees_it(tmp_path):
    async with with_cms(tmp_path) as (police, fire, _):
        id_ = await answered(police, fire, users=USERS)
        for system, token, offered in (
            (police, "admin", True),
            (police, "auditor", False),
            (fire, "admin", False),
        ):
            page = await opened(system, "GET", f"/exchanges/{id_}", token=token)
            assert (f"{id_}/provisioning" in page.text) is offered, (system.id, token)
        assert (await opened(police, "GET", place(id_), token="requester")).status == 404
        job = await carried_out(police, id_)
        other = await answered(police, fire, key="other")
        page = await opened(police, "GET", f"{place(other)}?job={job['id']}", token="admin")
        assert page.status == 404
        assert (await opened(police, "GET", f"{place(id_)}?state=odd", token="admin")).status == 422
        assert ADMIN in (await opened(police, "GET", place(id_), token="admin")).text

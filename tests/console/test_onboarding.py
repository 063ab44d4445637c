"""A new partner by the guided path: files, a comparison over the telephone, and both have accepted."""

import asyncio
import re
from pathlib import Path

import msgspec
from playwright.async_api import expect

from acmx.trust.keys import spoken
from support.systems.browsers import a_browser, barriers, seated
from support.systems.pages import opened
from support.systems.strangers import files, strangers
from support.systems.systems import FIRE, POLICE, System, eventually

ADMINISTRATOR = "partner-administrator"


def last_group(system: System) -> str:
    return spoken(system.own.key.kid).rpartition(" ")[2]


def shows_last_group(html: str, of: System) -> bool:
    """Whether the page has the last group of this key, after the one before it, which it must show."""
    before, last = spoken(of.own.key.kid).split()[-2:]
    digits = re.sub(r"<[^>]*>|\s", "", html)
    assert before in digits
    return before + last in digits


async def test_two_people_meet_by_files_and_the_telephone(tmp_path: Path) -> None:
    async with (
        strangers(tmp_path) as (police, fire),
        a_browser() as browser,
        seated(browser, police, ADMINISTRATOR) as desk,
    ):
        page = desk.page
        await desk.open("/partners")
        await expect(page.get_by_text("No partners yet")).to_be_visible()
        await page.get_by_role("link", name="Add a partner").click()
        await expect(page.get_by_text(spoken(police.own.key.kid).split()[3])).to_be_visible()
        async with page.expect_download() as coming:
            await page.get_by_role("link", name="Download our file").click()
        ours = await asyncio.to_thread(Path(await (await coming.value).path()).read_bytes)
        assert (await coming.value).suggested_filename == f"{POLICE}.json"
        await fire.done("POST", "/partners", msgspec.json.decode(ours))
        theirs = tmp_path / "theirs.json"
        theirs.write_bytes(msgspec.json.encode(await fire.done("GET", "/partner-file")))
        await page.locator("input[type=file]").set_input_files(theirs)
        await expect(page.get_by_label("Their file")).to_have_value(theirs.read_text())
        await page.get_by_role("button", name="Read the file").click()

        await expect(page.get_by_role("heading", name="What will be pinned")).to_be_visible()
        assert not shows_last_group(await page.content(), fire)
        assert await barriers(page) == []
        await page.get_by_label("The last group, as they read it").fill("0000")
        await page.get_by_role("button", name="Accept the partner").click()
        await expect(page.get_by_text("is not the last group of this key")).to_be_visible()
        assert (await police.done("GET", f"/partners/{FIRE}"))["state_here"] == "offered"
        await expect(page.get_by_label("server identity", exact=True)).to_be_checked()
        await page.get_by_label("server identity provision").uncheck()
        await page.get_by_label("The last group, as they read it").fill(last_group(fire))
        await page.get_by_role("button", name="Accept the partner").click()

        await expect(page.get_by_text("What is still missing")).to_be_visible()
        police.clock.advance(seconds=1)
        compared = {"thumbprints": [police.own.key.kid], "kinds": []}
        await fire.done("POST", f"/partners/{POLICE}/acceptance", compared)
        await eventually(
            lambda: police.done("GET", f"/partners/{FIRE}"), lambda p: p["state"] == "established"
        )
        await expect(page.get_by_text("The partnership is established")).to_be_visible()
        assert (await police.done("GET", f"/partners/{FIRE}"))["terms"]["kinds"] == ["server-identity"]
        desk.troubles.clear()


async def test_files_that_are_none_are_told_at_the_field_and_kept(tmp_path: Path) -> None:
    async with strangers(tmp_path) as (police, fire):
        good = await fire.done("GET", "/partner-file")
        own = await police.done("GET", "/partner-file")
        for text, said in {
            "": "is not readable JSON",
            "[]": "must be a JSON object",
            "{}": "missing required field",
            msgspec.json.encode(own).decode(): "is this system itself",
            msgspec.json.encode(good | {"signature": own["signature"]}).decode(): "The signature",
        }.items():
            reply = await opened(police, "POST", "/partners/new", {"file": text}, token=ADMINISTRATOR)
            at_field = re.search(r'class="fault" id="file-fault-1">([^<]*)<', reply.text)
            assert reply.status in (401, 422), reply.status
            assert at_field, text
            assert said in at_field[1], at_field[1]
            assert text[:20].replace('"', "&#34;") in reply.text
        assert (await police.done("GET", "/partners"))["items"] == []


async def test_without_javascript_twice_is_once_and_what_was_seen_has_to_stand(tmp_path: Path) -> None:
    async with strangers(tmp_path) as (police, fire):
        await files(police, fire)
        file = msgspec.json.encode(await fire.done("GET", "/partner-file")).decode()
        path, token = f"/partners/{FIRE}/acceptance", ADMINISTRATOR
        for _ in range(2):
            reply = await opened(police, "POST", "/partners/new", {"file": file}, token=token)
            assert (reply.status, reply.headers["Location"]) == (303, f"/console{path}")
        page = await opened(police, "GET", f"/partners/{FIRE}", token=token)
        assert not shows_last_group(page.text, fire)
        seen = (await police.done("GET", f"/partners/{FIRE}"))["seen"]
        heard = {"last_0": last_group(fire), "seen": seen}
        reply = await opened(police, "POST", path, heard | {"seen": "another"}, token=token)
        assert (reply.status, "look at the partner again" in reply.text) == (409, True)
        for _ in range(2):
            assert (await opened(police, "POST", path, heard, token=token)).status == 303
        rows = (await police.done("GET", "/audit", account="auditor"))["items"]
        assert [row["event"] for row in rows if row["event"].startswith("partner-acc")] == [
            *("partner-accepted", "partner-accepted"),
            "partner-acceptance-refused",
        ]

"""WCAG 2.2 AA as far as a program can see it: every page, light and dark, at a desk and on a phone."""

import pytest

from integration.provisioning.test_provisioning import answered
from integration.provisioning.test_xcap import USERS, carried_out, with_cms
from support.partner.xcap import path_of
from support.systems.browsers import Desk, a_browser, barriers, seated
from support.systems.systems import EXAMPLES, POLICE, two_systems

SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}


@pytest.mark.parametrize("size", SIZES)
async def test_no_page_has_barriers_or_is_wider_than_the_screen(size, tmp_path):
    async with two_systems(tmp_path) as (police, fire), a_browser() as browser:
        ids = []
        for n, urgency in enumerate(("normal", "urgent")):
            _, accepted = await police.submit(str(n), urgency=urgency)
            await police.reaches(accepted["id"], "stored")
            ids.append(accepted["id"])
        async with seated(browser, fire, "admin", viewport=SIZES[size]) as desk:
            for path in ("/inbox", "/exchanges", f"/exchanges/{ids[0]}"):
                await desk.open(path)
                assert await barriers(desk.page) == [], path
                assert await desk.page.evaluate("document.body.scrollWidth <= innerWidth"), path
            partner = f"/partners/{POLICE}"
            for path in ("/partners", "/partners/new", partner, f"{partner}/terms", "/outbox"):
                await desk.open(path)
                assert await barriers(desk.page) == [], path
                assert await desk.page.evaluate("document.body.scrollWidth <= innerWidth"), path
            for path in ("removal", "approvals/server-identity", "acceptance", "check", "change"):
                await desk.open(f"{partner}/{path}")
                assert await desk.page.evaluate("document.body.scrollWidth <= innerWidth"), path
            await desk.page.get_by_text("admin", exact=True).first.click()
            assert await barriers(desk.page) == []
        async with seated(browser, police, "admin", viewport=SIZES[size]) as desk:
            for path in ("/requests/new", f"/exchanges/{ids[0]}/withdrawal"):
                await desk.open(path)
                assert await barriers(desk.page) == [], path
                assert await desk.page.evaluate("document.body.scrollWidth <= innerWidth"), path
        async with seated(browser, fire, viewport=SIZES[size]) as desk:
            await desk.open("/sign-in")
            assert await barriers(desk.page) == []


ACTS = {"/audit": "Verify the journal", "/policy/trial": "Try it", "/identities/entry": "Enter this version"}
"""What is done on a page before it is looked at."""


async def fit(desk: Desk, *paths: str) -> None:
    """No barriers on these pages, and no overflow on a phone."""
    for path in paths:
        await desk.page.set_viewport_size(SIZES["desk"])
        await desk.open(path)
        if path in ACTS:
            await desk.page.get_by_role("button", name=ACTS[path]).click()
            await desk.page.wait_for_selector("#verdict, #tried, .problem")
        assert await barriers(desk.page) == [], path
        await desk.page.set_viewport_size(SIZES["phone"])
        assert await desk.page.evaluate("document.body.scrollWidth <= innerWidth"), path
    desk.troubles.clear()


async def test_setting_up_has_no_barriers_and_fits_a_phone(tmp_path):
    async with with_cms(tmp_path) as (police, fire, cms), a_browser() as browser:
        id_ = await answered(police, fire, users=USERS)
        del cms.documents[path_of("mcptt", USERS[1])]
        await carried_out(police, id_, "preview")
        place = f"/exchanges/{id_}/provisioning"
        async with seated(browser, police, "admin") as desk:
            await fit(desk, place, f"{place}/removal")
        given = (await fire.done("GET", "/server-identities"))["server_identity"]
        del given["kms"]
        await fire.done("PUT", "/server-identities", {"server_identity": given, "incomplete": True})
        text = (EXAMPLES / "policies" / "by-realm.cedar").read_text()
        await fire.done("PUT", "/policy", {"text": text})
        async with seated(browser, fire, "admin") as desk:
            entering = ("/identities/entry", "/identities/import", "/identities/difference?old=1&new=2")
            await fit(desk, "/identities", *entering)
            await fit(desk, "/audit", "/policy", "/policy/trial", f"/exchanges/{id_}/explanation")

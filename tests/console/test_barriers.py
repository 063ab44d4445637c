"""WCAG 2.2 AA as far as a program can see it: every page, light and dark, at a desk and on a phone."""

import asyncio

import pytest

from browsers import a_browser, barriers, seated
from systems import two_systems

SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}


@pytest.mark.parametrize("size", SIZES)
def test_no_page_has_barriers_or_is_wider_than_the_screen(size, tmp_path):
    async def scenario() -> None:
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

    asyncio.run(scenario())

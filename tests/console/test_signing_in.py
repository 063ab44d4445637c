"""Signing in and out in a browser, with and without JavaScript."""

from support.systems.browsers import a_browser, console, seated
from support.systems.systems import two_systems


async def test_a_person_signs_in_by_the_keyboard_and_out(tmp_path):
    async with two_systems(tmp_path, start=False) as (police, _), a_browser() as browser:
        await police.start()
        async with seated(browser, police) as desk:
            page = desk.page
            await desk.open("/exchanges?state=stored")
            assert "/sign-in" in page.url
            await page.get_by_label("Account").focus()
            await page.keyboard.type("auditor")
            await page.keyboard.press("Tab")
            await page.keyboard.type("correct horse battery staple")
            await page.keyboard.press("Enter")
            await page.wait_for_url(f"{console(police)}/exchanges?state=stored")
            await page.get_by_text("auditor", exact=True).first.click()
            await page.get_by_role("button", name="Sign out").click()
            await page.get_by_text("You are signed out.").wait_for()
            await desk.open("/inbox")
            assert "/sign-in" in page.url


async def test_everything_works_with_javascript_off(tmp_path):
    async with two_systems(tmp_path) as (police, fire), a_browser() as browser:
        _, accepted = await police.submit()
        await police.reaches(accepted["id"], "stored")
        async with seated(browser, fire, "reviewer", java_script_enabled=False) as desk:
            await desk.page.get_by_role("link", name="flood in the harbour district").wait_for()
            assert "UTC" in await desk.page.locator("time").first.inner_text()
            await desk.page.get_by_role("link", name="Exchanges").click()
            await desk.page.get_by_label("State").select_option("pending")
            await desk.page.get_by_role("button", name="Filter").click()
            await desk.page.get_by_role("link", name="flood in the harbour district").wait_for()

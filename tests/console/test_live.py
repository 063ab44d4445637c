"""What changes by itself: the inbox, its title, other tabs; across a lost server and an ended session."""

from playwright.async_api import expect

from support.systems.browsers import a_browser, seated, two_desks
from support.systems.systems import two_systems


async def test_a_request_appears_in_the_inbox_and_its_title_and_in_other_tabs(tmp_path):
    async with two_desks(tmp_path, "requester", "reviewer") as (asker, decider):
        other = await decider.context.new_page()
        await other.goto(decider.page.url)
        await expect(decider.page).to_have_title("Inbox · ACM console")
        await expect(decider.page.get_by_text("Nothing waits for you")).to_be_visible()
        _, accepted = await asker.system.submit(account="requester")
        for page in (decider.page, other):
            await expect(page).to_have_title("(1) Inbox · ACM console")
            await expect(page.get_by_role("link", name="flood in the harbour district")).to_be_visible()
            local = page.locator("time").first
            await expect(local).to_contain_text("9:00")
            assert "08:00:00 UTC" in str(await local.get_attribute("title"))
        assert decider.streams == 1
        await decider.system.review(accepted["id"], account="reviewer")
        await expect(decider.page).to_have_title("Inbox · ACM console")
        await expect(asker.page).to_have_title("(1) Inbox · ACM console")
        await expect(asker.page.get_by_role("heading", name="Answers to fetch")).to_be_visible()


async def test_what_is_pressed_while_something_arrives_is_clicked(tmp_path):
    async with two_desks(tmp_path, "requester", "reviewer") as (asker, decider):
        page = decider.page
        _, first = await asker.system.submit(account="requester")
        link = page.get_by_role("link", name="flood in the harbour district")
        await link.hover()
        await page.mouse.down()
        async with page.expect_response(page.url) as looked:
            await asker.system.submit(key="another", account="requester")
        await (await looked.value).finished()
        await page.evaluate(
            "new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))"
        )
        await page.mouse.up()
        await page.wait_for_url(f"**{first['id']}**")
        await page.go_back()
        await expect(page).to_have_title("(2) Inbox · ACM console")


async def test_a_page_says_that_it_is_not_live_while_the_server_is_away_and_goes_on_afterwards(tmp_path):
    async with (
        two_systems(tmp_path) as (police, fire),
        a_browser() as browser,
        seated(browser, fire, "reviewer") as desk,
    ):
        await fire.stop()
        await expect(desk.page.get_by_text("Not live")).to_be_visible()
        await police.submit(account="requester")
        await fire.start()
        await expect(desk.page).to_have_title("(1) Inbox · ACM console")
        await expect(desk.page.get_by_text("Not live")).to_be_hidden()
        desk.troubles.clear()


async def test_a_page_says_when_its_session_has_ended(tmp_path):
    async with two_systems(tmp_path, start=False) as (police, _), a_browser() as browser:
        await police.start()
        async with seated(browser, police, "reviewer") as desk:
            await police.done("POST", "/accounts/reviewer/disablement")
            await police.restart()
            await expect(desk.page.get_by_text("Your session has ended")).to_be_visible()
            desk.troubles.clear()

"""The bell: what happened, beside what waits."""

from playwright.async_api import expect

from acmx.domain.acm1 import NoticePage
from acmx.domain.telling import PARTNER_CHANGE
from acmx.storage import notices
from support.systems.browsers import barriers, two_desks
from support.systems.pages import opened
from support.systems.systems import FIRE, POLICE, eventually


async def test_the_bell_tells_what_happened_until_it_was_looked_at(tmp_path):
    async with two_desks(tmp_path, "requester", "reviewer") as (asker, decider):
        page = asker.page
        await expect(page.locator(".dot")).to_be_hidden()
        _, accepted = await asker.system.submit(account="requester")
        await asker.system.reaches(accepted["id"], "stored")
        await expect(decider.page.locator(".dot")).to_be_visible()
        await decider.system.review(accepted["id"])
        await expect(page.locator(".dot")).to_be_visible()
        await page.get_by_role("link", name="News").click()
        await expect(page.get_by_text("answered", exact=True)).to_be_visible()
        await expect(page.get_by_role("link", name="flood in the harbour")).to_be_visible()
        await expect(page.locator(".dot")).to_be_hidden()
        assert await barriers(page) == []
        await asker.open("/inbox")
        await expect(page).to_have_title("(1) Inbox · ACM console")
        await expect(page.locator(".dot")).to_be_hidden()


async def test_news_of_a_partnership_lead_to_the_partner(systems):
    police, fire = systems
    link = f'<a href="/console/partners/{POLICE}">{POLICE}</a>'
    await police.done("POST", f"/partners/{FIRE}/suspension", {})
    await eventually(
        lambda: opened(fire, "GET", "/news", token="partner-administrator"),
        lambda page: "suspended the partnership" in page.text and link in page.text,
    )
    await fire.store.write(lambda tx: notices.put_for_operators(tx, 0, FIRE, POLICE, PARTNER_CHANGE, 0))
    page = await opened(fire, "GET", "/news", token="operator")
    assert "a partner has changed something" in page.text
    assert link in page.text


async def test_news_are_what_is_meant_for_the_caller_page_by_page(systems):
    police, fire = systems
    to = {"addressee": {"mc_service_id": f"sip:reviewer@{FIRE}"}}
    for n in range(3):
        status, accepted = await police.submit(str(n), account="requester", **(to if n else {}))
        assert status == 201
        await police.reaches(accepted["id"], "stored")

    async def news(account: str, query: str = "") -> NoticePage:
        return await fire.done("GET", f"/news{query}", account=account)

    assert [one["event"] for one in (await news("reviewer"))["items"]] == ["request"] * 3
    assert [one["event"] for one in (await news("admin"))["items"]] == ["request"]
    assert (await news("identity-editor"))["items"] == []
    first = await news("reviewer", "?limit=2")
    assert (len(first["items"]), "next" in first) == (2, True)
    rest = await news("reviewer", f"?limit=2&after={first['next']}")
    assert (len(rest["items"]), "next" in rest) == (1, False)

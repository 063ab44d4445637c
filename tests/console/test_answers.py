"""Steps 15 to 18 in a browser: the asker is asked back, answers, and fetches what was decided."""

import asyncio

from playwright.async_api import expect

from browsers import barriers, two_desks


def test_an_asker_answers_a_question_and_fetches_the_answer(tmp_path):
    async def scenario() -> None:
        async with two_desks(tmp_path, "requester", "reviewer") as (asker, decider):
            police, fire, page = asker.system, decider.system, asker.page
            _, accepted = await police.submit(account="requester")
            id_ = accepted["id"]
            await police.reaches(id_, "stored")
            await fire.done("POST", f"/requests/{id_}/questions", {"text": "how long?"}, account="reviewer")
            await expect(page.get_by_role("heading", name="Questions to you 1")).to_be_visible()
            await page.get_by_role("link", name="flood").click()
            await expect(page.get_by_text("how long?")).to_be_visible()
            assert await barriers(page) == []
            await page.get_by_label("Your answer").fill("until Monday")
            await page.get_by_role("button", name="Send the answer").click()
            await expect(page.get_by_text("Your answer is on its way.")).to_be_visible()
            await fire.reaches(id_, "pending")
            await fire.review(id_)
            await page.get_by_role("button", name="Fetch the answer").click()
            await expect(page.get_by_text("The answer is fetched.")).to_be_visible()
            await expect(page.get_by_role("button", name="Fetch the answer")).to_be_hidden()
            assert (await police.exchange(id_))["state"] == "retrieved"
            await asker.open("/inbox")
            await expect(page.get_by_text("Nothing waits for you")).to_be_visible()

    asyncio.run(scenario())

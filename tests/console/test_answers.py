"""Steps 15 to 18 in a browser: the asker is asked back, answers, and fetches what was decided."""

from playwright.async_api import expect

from support.systems.browsers import barriers, two_desks


async def test_an_asker_answers_a_question_and_fetches_the_answer(tmp_path):
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
        await page.get_by_label("Your answer to question 1").fill("until Monday")
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


async def test_an_answer_goes_to_the_question_above_the_form_though_another_has_come(tmp_path):
    async with two_desks(tmp_path, "requester", "reviewer") as (asker, decider):
        police, fire, page = asker.system, decider.system, asker.page
        _, accepted = await police.submit(account="requester")
        id_ = accepted["id"]
        path = f"/requests/{id_}/questions"
        await police.reaches(id_, "stored")
        await fire.done("POST", path, {"text": "how long?"}, account="reviewer")
        await police.reaches(id_, "more_information")
        await asker.open(f"/exchanges/{id_}/answer")
        await page.get_by_label("Your answer to question 1").fill("until Monday")
        await fire.done("POST", path, {"text": "which boats?"}, account="reviewer")
        await expect(page.get_by_text("which boats?")).to_be_visible()
        await page.get_by_role("button", name="Send the answer").click()
        await expect(page.get_by_text("Your answer is on its way.")).to_be_visible()
        await asker.open(f"/exchanges/{id_}/answer")
        await page.get_by_label("Your answer to question 2").fill("two")
        await page.get_by_role("button", name="Send the answer").click()
        await fire.reaches(id_, "pending")
        await decider.open(f"/exchanges/{id_}")
        shown = decider.page.locator("blockquote")
        await expect(shown).to_have_count(4)
        for place, words in enumerate(
            (
                ("how long?", "Question 1:"),
                ("until Monday", "Answer to question 1:"),
                ("which boats?", "Question 2:"),
                ("two", "Answer to question 2:"),
            )
        ):
            for word in words:
                await expect(shown.nth(place)).to_contain_text(word)

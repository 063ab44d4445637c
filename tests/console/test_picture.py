"""An exchange as a picture: it moves on by itself, says what failed and what was not needed; and its evidence."""

import json
import re

from playwright.async_api import Page, expect

from acmx.trust.evidence_check import check
from support.systems.browsers import a_browser, barriers, seated, two_desks
from support.systems.pages import opened
from support.systems.systems import FIRE, POLICE, System, eventually, two_systems
from support.systems.updates import gets, publish, revoke

SMALL = """@id("small") @reason("a small team")
permit (principal, action == Action::"approve", resource == Kind::"server-identity") when { context.users <= 2 };"""


def drawn(page: Page, status: str):
    """The numbers of the steps of this status, as they stand in the picture."""
    return page.locator(f".sequence .{status} .n")


async def page_of(system: System, id_: str) -> str:
    return (await opened(system, "GET", f"/exchanges/{id_}", token="admin")).text


def steps_in(text: str) -> dict[str, list[int]]:
    """The numbers of the steps by status, as the picture has them."""
    found: dict[str, list[int]] = {}
    for status, n in re.findall(r'<g class="step ([a-z-]+)">.*?<text class="n"[^>]*>(\d+)<', text, re.DOTALL):
        found.setdefault(status, []).append(int(n))
    return found


async def test_the_picture_moves_on_while_the_partner_reviews(tmp_path):
    async with two_desks(tmp_path, "requester", "reviewer") as (asker, decider):
        police, fire = asker.system, decider.system
        _, accepted = await police.submit(account="requester")
        id_ = accepted["id"]
        await police.reaches(id_, "stored")
        for desk in (asker, decider):
            await desk.open(f"/exchanges/{POLICE}:{id_}")
        await expect(drawn(asker.page, "waiting")).to_have_text("13")
        await expect(drawn(decider.page, "waiting")).to_have_text("11")
        question = {"text": "how long?"}
        await fire.done("POST", f"/requests/{id_}/questions", question, account="reviewer")
        await expect(asker.page.locator(".sequence .what", has_text="question")).to_be_visible()
        answer = {"question": 1, "text": "until Monday"}
        await police.reaches(id_, "more_information")
        await police.done("POST", f"/requests/{id_}/answers", answer, account="requester")
        await expect(decider.page.locator(".sequence .what", has_text="answer")).to_be_visible()
        await fire.review(id_, account="reviewer")
        await expect(drawn(asker.page, "done")).to_contain_text(["1", "2", "3", "4", "5", "12", "13", "14"])
        await expect(asker.page.locator("#journal")).to_contain_text("The response has come")
        await expect(decider.page.locator("#journal")).to_contain_text("Decided by a person")
        await asker.page.get_by_role("button", name="Fetch the answer").click()
        await expect(drawn(asker.page, "done").last).to_have_text("18")
        await expect(drawn(asker.page, "waiting")).to_have_count(0)
        time = asker.page.locator(".sequence .done .near").first
        await expect(time).to_contain_text("Nov 23, 09:00:00")


async def test_what_fails_is_shown_where_it_happened_with_the_next_attempt(tmp_path):
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        _, accepted = await police.submit()
        id_ = accepted["id"]
        await eventually(
            lambda: police.done("GET", f"/partners/{FIRE}"), lambda link: "next_attempt_at" in link
        )
        text = await page_of(police, id_)
        assert steps_in(text) == {"done": [1, 2], "waiting": [3], "ahead": [4, 5, *range(13, 19)]} | {
            "elsewhere": list(range(6, 13))
        }
        assert "Cannot connect to host" in text
        assert re.search(r'Next attempt:</text>\s*<text class="at near"', text)


async def test_steps_that_policy_made_needless_are_grey_with_its_rule(systems):
    police, fire = systems
    await fire.done("PUT", "/policy", {"text": SMALL})
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "answered")
    await fire.reaches(accepted["id"], "delivered")
    text = await page_of(fire, accepted["id"])
    assert steps_in(text)["not-taken"] == list(range(7, 13))
    assert text.count("No person was needed: small") == 2
    assert "Decided by policy" in text


async def test_what_comes_after_the_answer_is_drawn_and_told_on_both_sides(systems):
    police, fire = systems
    _, accepted = await police.submit()
    id_ = accepted["id"]
    await police.reaches(id_, "stored")
    await fire.review(id_)
    await police.reaches(id_, "answered")
    await publish(fire, kms="https://kms-2.mc.county-fire.example")
    await gets(police, id_, kms="https://kms-2.mc.county-fire.example")
    assert (await revoke(fire, id_, reason="the flood is over"))[0] == 200
    await eventually(lambda: police.exchange(id_), lambda shown: shown.get("revocations"))
    for system in (police, fire):
        text = await page_of(system, id_)
        beside = text.partition("Beside the 18 steps")[2]
        assert re.findall(r'<text class="what"[^>]*>(\w+)', beside) == ["update", "revocation"]
        assert "<del>https://kms.mc.county-fire.example</del>" in text
        assert "the flood is over" in text


async def test_the_evidence_is_downloaded_and_holds(tmp_path):
    async with (
        two_systems(tmp_path) as (police, _),
        a_browser() as browser,
        seated(browser, police, "auditor") as desk,
    ):
        _, accepted = await police.submit()
        id_ = accepted["id"]
        await police.reaches(id_, "stored")
        await desk.open(f"/exchanges/{id_}")
        for _ in range(2):
            async with desk.page.expect_download() as download:
                await desk.page.get_by_role("button", name="Download the evidence").click()
        file = await download.value
        assert file.suggested_filename == f"evidence-{id_}.json"
        content = (await file.path()).read_bytes()
        assert {finding.status for finding in check(content, ())} <= {"ok", "warning"}
        document = json.loads(content)
        assert content == json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"
        assert document["evidence"]["exchange"] == id_


async def test_the_page_prints_as_a_sheet_and_is_a_list_on_a_phone(tmp_path):
    async with (
        two_systems(tmp_path) as (police, _),
        a_browser() as browser,
        seated(browser, police, "admin") as desk,
    ):
        _, accepted = await police.submit()
        await police.reaches(accepted["id"], "stored")
        page = desk.page
        await desk.open(f"/exchanges/{accepted['id']}")
        await expect(page.get_by_role("img", name="Sequence diagram of the 18 steps")).to_be_visible()
        assert (
            await page.get_by_role("list").filter(has_text="stores it").get_by_role("listitem").count() == 18
        )
        await page.emulate_media(media="print")
        for gone in (".bar", ".actions", ".sequence .near >> nth=0", ".steps"):
            await expect(page.locator(gone).first).to_be_hidden()
        await expect(page.get_by_text("2026-11-23T08:00:00Z").first).to_be_visible()
        told = "getComputedStyle(document.querySelector('.facts time'), '::after').content"
        assert await page.evaluate(told) == '"2026-11-23T08:00:00Z"'
        await page.emulate_media(media="screen")
        await page.set_viewport_size({"width": 360, "height": 740})
        await expect(page.locator(".sequence")).to_be_hidden()
        await expect(page.get_by_text("The ACM server of A sends the request")).to_be_visible()
        assert await barriers(page) == []

"""Steps 11 and 12 in a browser: some of 10,000, by the keyboard, without JavaScript, and while others decide too."""

import tomllib

from playwright.async_api import expect

from support.systems.browsers import Desk, a_browser, barriers, seated, two_desks
from support.systems.pages import opened
from support.systems.systems import EXAMPLES, POLICE, two_systems

MANY = [f"sip:officer.{n:05}@{POLICE}" for n in range(10_000)]
PURPOSE = "flood in the harbour district"


async def asked(police, **changes) -> str:
    status, accepted = await police.submit(account="requester", **changes)
    assert status == 201, accepted
    await police.reaches(accepted["id"], "stored")
    return str(accepted["id"])


async def decide(desk: Desk) -> None:
    """From the filled-in form to the end."""
    await desk.page.get_by_role("button", name="Look at it once more").click()
    await desk.page.get_by_role("button", name="Decide", exact=True).click()


async def test_some_of_ten_thousand_are_approved_by_the_keyboard_alone(tmp_path):
    async with two_desks(tmp_path, "requester", "reviewer") as (asker, decider):
        id_ = await asked(asker.system, users=MANY)
        page, keys = decider.page, decider.page.keyboard
        await page.get_by_role("link", name=PURPOSE).focus()
        await keys.press("Enter")
        await expect(page.get_by_role("heading", name="10,000 users")).to_be_visible()
        given = tomllib.loads((EXAMPLES / "catalogues" / "county-fire.toml").read_text())
        for value in (given["cms_xcap_root"], given["hplmn"]["con_refs"]["identity"], "hplmn.plmn"):
            await expect(page.get_by_text(value, exact=True).first).to_be_visible()
        await page.get_by_label("Everybody", exact=True).focus()
        await keys.press("ArrowDown")
        await keys.press("ArrowDown")
        await keys.press("Tab")
        await keys.type("0042")
        await expect(page.get_by_text("11 users.")).to_be_visible()
        for _ in range(4):
            await keys.press("Tab")
        await keys.press("Space")
        await keys.press("ArrowDown")
        await keys.press("Space")
        chosen = [MANY[42], MANY[420]]
        await expect(page.get_by_label("Chosen users")).to_have_value("\n".join(chosen))
        await page.get_by_label("Reason").focus()
        await keys.type("as agreed")
        await keys.press("Tab")
        await keys.type("they owe us one")
        await keys.press("Tab")
        await keys.press("Enter")
        await expect(page.get_by_text("2 of 10,000 users")).to_be_visible()
        assert await barriers(page) == []
        await page.get_by_role("button", name="Decide").focus()
        await keys.press("Enter")
        await expect(page.get_by_text("Your review is stored.")).to_be_visible()
        exchange = await asker.system.reaches(id_, "answered")
        assert exchange["outcome"] == "partly-approved"
        approved, declined = exchange["verdicts"]
        assert (approved["users"], len(declined["users"])) == (chosen, 9_998)


async def test_a_request_is_reviewed_with_javascript_off(tmp_path):
    async with two_systems(tmp_path) as (police, fire), a_browser() as browser:
        id_ = await asked(police, users=MANY[:300])
        found = [MANY[29], *MANY[290:300]]
        async with seated(browser, fire, "reviewer", java_script_enabled=False) as desk:
            page = desk.page
            await page.get_by_role("link", name=PURPOSE).click()
            await page.get_by_label("Everybody but").check()
            await page.get_by_label("Find users").fill("0029")
            await page.get_by_role("button", name="Find", exact=True).click()
            await expect(page.get_by_text("11 users.")).to_be_visible()
            await page.get_by_role("button", name="Choose all that were found").click()
            await expect(page.get_by_label("Chosen users")).to_have_value("\n".join(found))
            await page.get_by_label("Find users").fill("officer.00000")
            await page.get_by_role("button", name="Find", exact=True).click()
            await expect(page.get_by_text("One user.")).to_be_visible()
            await page.get_by_label(MANY[0]).check()
            await page.get_by_label("Reason").fill("they are needed here")
            await page.get_by_role("button", name="Look at it once more").click()
            await page.get_by_role("button", name="Go back").click()
            await expect(page.get_by_label("Reason")).to_have_value("they are needed here")
            await decide(desk)
        exchange = await police.reaches(id_, "answered")
        declined = next(v["users"] for v in exchange["verdicts"] if not v["approved"])
        assert declined == [MANY[0], *found]


async def test_a_second_pair_of_eyes_appears_by_itself_and_the_last_one_decides(tmp_path):
    async with two_desks(tmp_path, "requester", "reviewer") as (asker, first):
        police, fire = asker.system, first.system
        two = {"kind": "server-identity", "review": {"approvals": 2}}
        await fire.done("PUT", f"/partners/{POLICE}/approvals", two)
        id_ = await asked(police)
        async with seated(first.context.browser, fire, "admin") as second:
            for desk in (first, second):
                await desk.open(f"/exchanges/{id_}/review")
                await expect(desk.page.get_by_text("0 of 2")).to_be_visible()
            await second.page.get_by_label("Everybody", exact=True).check()
            await second.page.get_by_label("Reason").fill("what I am typing")
            await first.page.get_by_label("Everybody", exact=True).check()
            await first.page.get_by_label("Reason").fill("mutual aid <b>agreement</b>")
            await first.page.get_by_label("Note for us").fill("they owe us one")
            await decide(first)
            await expect(first.page.get_by_text("others have to agree")).to_be_visible()
            await expect(second.page.get_by_text("1 of 2")).to_be_visible()
            await expect(second.page.get_by_text("mutual aid <b>agreement</b>")).to_be_visible()
            await expect(second.page.get_by_text("they owe us one")).to_be_visible()
            await expect(second.page.get_by_label("Reason")).to_have_value("what I am typing")
            await first.open(f"/exchanges/{id_}/review")
            await decide(second)
            await expect(first.page.get_by_text("Nothing is left to decide here")).to_be_visible()
            await expect(first.page.get_by_role("button", name="Look at it")).to_be_hidden()
        answered = await police.reaches(id_, "answered")
        assert answered["outcome"] == "approved"
        assert "they owe us one" not in str(answered)
        assert not await police.rows("SELECT 1 FROM message WHERE body LIKE '%owe us%'")


async def test_a_decision_that_came_too_late_is_shown_the_one_that_stands(tmp_path):
    async with two_desks(tmp_path, "requester", "reviewer") as (asker, late):
        id_ = await asked(asker.system)
        await late.open(f"/exchanges/{id_}/review")
        await late.page.get_by_label("Nobody", exact=True).check()
        await late.page.get_by_label("Reason").fill("no")
        await late.page.get_by_role("button", name="Look at it once more").click()
        await late.system.review(id_, reason="I was faster")
        await late.page.get_by_role("button", name="Decide", exact=True).click()
        await expect(late.page.get_by_role("heading", name="The outcome stands already.")).to_be_visible()
        await expect(late.page.get_by_text("I was faster").first).to_be_visible()
        exchange = await asker.system.reaches(id_, "answered")
        assert (exchange["outcome"], exchange["reason"]) == ("approved", "I was faster")
        late.troubles.clear()


async def test_who_decides_on_what_has_changed_is_told_and_keeps_what_was_typed(tmp_path):
    async with two_desks(tmp_path, "requester", "reviewer") as (asker, decider):
        fire, page = decider.system, decider.page
        id_ = await asked(asker.system)
        await decider.open(f"/exchanges/{id_}/review")
        await page.get_by_label("Everybody", exact=True).check()
        await page.get_by_label("Reason").fill("as agreed")
        catalogue = tomllib.loads((EXAMPLES / "catalogues" / "county-fire.toml").read_text())
        changed = catalogue | {"kms": "https://another-kms.mc.county-fire.example"}
        await fire.done("PUT", "/server-identities", {"server_identity": changed})
        await page.get_by_role("button", name="Look at it once more").click()
        await expect(page.get_by_text("has changed since it was read").first).to_be_visible()
        await expect(page.get_by_text(changed["kms"])).to_be_visible()
        await expect(page.get_by_label("Reason")).to_have_value("as agreed")
        assert await barriers(page) == []
        await decide(decider)
        await asker.system.reaches(id_, "answered")
        answer = await asker.system.done("POST", f"/requests/{id_}/retrieval", account="requester")
        assert answer["content"]["server_identity"]["kms"] == changed["kms"]
        decider.troubles.clear()


async def test_a_question_is_asked_and_its_answer_appears(tmp_path):
    async with two_desks(tmp_path, "requester", "reviewer") as (asker, decider):
        id_ = await asked(asker.system)
        page = decider.page
        await decider.open(f"/exchanges/{id_}/review")
        await page.get_by_text("Ask something before you decide").click()
        await page.get_by_label("Question", exact=True).fill("for how long?")
        await page.get_by_role("button", name="Ask", exact=True).click()
        await expect(page.get_by_text("Your question is on its way.")).to_be_visible()
        await asker.system.reaches(id_, "more_information")
        text = {"text": "until Monday"}
        await asker.system.done(
            "POST", f"/requests/{id_}/answers", {"question": 1, **text}, account="requester"
        )
        await expect(page.get_by_text("until Monday")).to_be_visible()
        await expect(page.get_by_text("Something has changed")).to_be_visible()


async def test_what_is_missing_or_strange_in_a_review_is_said_at_its_field(systems):
    police, fire = systems
    id_ = await asked(police, users=MANY)
    path, token = f"/exchanges/{id_}/review", "reviewer"
    page = await opened(fire, "GET", path, token=token)
    assert len(page.text.encode()) < 60_000
    seen = (await fire.exchange(id_))["seen"]
    good = {"seen": seen, "approve": "chosen", "chosen": MANY[7], "reason": "x", "act": "next"}
    wrong = {
        "must be said": {"approve": "perhaps"},
        "must name at least one user": {"chosen": ""},
        "must be given": {"reason": " "},
        "sip:stranger@mc.evil.example": {"chosen": f"{MANY[7]}\nsip:stranger@mc.evil.example"},
    }
    for said, changes in wrong.items():
        for place in (path, path.replace("review", "decision")):
            reply = await opened(fire, "POST", place, good | changes, token=token)
            assert (reply.status, said in reply.text) == (422, True), said
    reply = await opened(fire, "POST", path, good | {"seen": "7.1"}, token=token)
    assert reply.status == 412
    assert (await fire.exchange(id_))["state"] == "pending"
    reply = await opened(fire, "POST", path, good, token=token)
    assert (reply.status, "Is this what you decide?" in reply.text) == (200, True)
    assert (await fire.exchange(id_))["state"] == "pending"


async def test_what_a_partner_writes_is_text(systems):
    police, fire = systems
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
    id_ = await asked(police, purpose=evil, reference="{{ 7 * 7 }}")
    for path in ("/inbox", "/exchanges", f"/exchanges/{id_}/review"):
        reply = await opened(fire, "GET", path, token="admin")
        assert "<script>alert" not in reply.text
        assert "<img src=x" not in reply.text
        assert "&lt;script&gt;alert(1)" in reply.text
        assert "{{ 7 * 7 }}" in reply.text

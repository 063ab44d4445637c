"""A new request in a browser: pasted, from a file, from an earlier one; looked at; and made once."""

import re

from playwright.async_api import expect

from support.systems.browsers import a_browser, barriers, seated
from support.systems.pages import opened
from support.systems.systems import FIRE, POLICE, two_systems

KEY = re.compile(r'name="key" value="([^"]+)"')
ONE = f"sip:one@{POLICE}"


def filled(**changes: object) -> dict[str, object]:
    """The form as a browser without script sends it."""
    usual = {"key": "k", "partner": FIRE, "purpose": "a flood", "users": ONE, "urgency": "normal"}
    return usual | changes


async def test_a_request_is_pasted_and_dropped_looked_at_and_submitted(tmp_path):
    async with (
        two_systems(tmp_path) as (police, fire),
        a_browser() as browser,
        seated(browser, police, "requester") as desk,
    ):
        page = desk.page
        _, earlier = await police.submit(account="requester", users=[f"sip:early@{POLICE}"])
        await page.get_by_role("link", name="New request").click()
        await page.get_by_label("Purpose").fill("search for the missing")
        await page.get_by_label("Users", exact=True).fill(f"{ONE}\nnobody")
        await page.get_by_label("mcdata").check()
        await page.get_by_label("Urgent", exact=True).check()
        await page.get_by_label("Valid until").fill("2026-12-01T10:00")
        await page.get_by_role("button", name="Look at it once more").click()
        await expect(page.get_by_role("alert")).to_contain_text("users line 2: 'nobody' must begin with")
        desk.troubles.clear()
        assert await barriers(page) == []
        await page.get_by_label("Users", exact=True).fill(ONE)
        await page.get_by_label("From an earlier request").select_option(index=1)
        await page.get_by_role("button", name="Add its users").click()
        await expect(page.get_by_label("Users", exact=True)).to_have_value(f"{ONE}\nsip:early@{POLICE}")
        file = f"name,mc_service_id\nA,sip:two@{POLICE}\nB,{ONE}\n"
        dropped = await page.evaluate_handle(
            "text => { const d = new DataTransfer(); d.items.add(new File([text], 'staff.csv')); return d; }",
            file,
        )
        await page.dispatch_event("#whom-card", "drop", {"dataTransfer": dropped})
        await page.get_by_role("button", name="Look at it once more").click()
        await expect(page.get_by_text("3 users")).to_be_visible()
        await expect(page.get_by_text("Dec 1, 2026, 10:00")).to_be_visible()
        assert await barriers(page) == []
        await page.get_by_role("button", name="Go back").click()
        await expect(page.get_by_label("Valid until")).to_have_value("2026-12-01T10:00")
        await page.get_by_role("button", name="Look at it once more").click()
        await page.get_by_role("button", name="Submit the request").dblclick()
        await expect(page.get_by_text("It is submitted.")).to_be_visible()
        await page.reload()
        await expect(page.get_by_role("heading", name="search for the missing")).to_be_visible()
        made = [one for one in (await police.done("GET", "/requests"))["items"] if one["id"] != earlier["id"]]
        assert [(one["user_count"], one["urgency"]) for one in made] == [(3, "urgent")]
        shown = await fire.reaches(made[0]["id"], "pending")
        assert shown["content"] == {"services": ["mcdata"]}
        assert shown["valid_until"] == "2026-12-01T09:00:00Z"


async def test_one_form_makes_one_request_of_ten_thousand_users_without_a_script(tmp_path):
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        key = KEY.search((await opened(police, "GET", "/requests/new", token="requester")).text)
        assert key
        many = "\r\n".join(f"sip:officer.{n}@{POLICE}" for n in range(10_000))
        form = filled(key=key[1], users=many)
        look = await opened(police, "POST", "/requests/new", form, token="requester")
        assert (look.status, "10,000 users" in look.text) == (200, True)
        assert KEY.search(look.text)[1] == key[1]
        replies = [await opened(police, "POST", "/requests", form, token="requester") for _ in range(2)]
        assert [reply.status for reply in replies] == [303, 303]
        assert replies[0].headers["Location"] == replies[1].headers["Location"]
        assert (await police.counts("exchange"))["exchange"] == 1
        other = await opened(police, "POST", "/requests", filled(key=key[1]), token="requester")
        assert other.status == 422
        assert KEY.search(other.text)[1] != key[1]
        assert (await police.counts("exchange"))["exchange"] == 1


async def test_a_file_is_sent_without_a_script_and_its_faults_have_lines(tmp_path):
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()

        async def send(content: bytes, **changes: object):
            return await opened(
                police,
                "POST",
                "/requests/new",
                filled(users="", **changes),
                token="requester",
                file=("staff.csv", content),
            )

        good = await send(f"mc_service_id;name\n{ONE};A\n".encode())
        assert (good.status, "One user" in good.text, ONE in good.text) == (200, True, True)
        bad = await send(f"mc_service_id;name\n{ONE};A\nnobody;B\n".encode())
        assert bad.status == 422
        assert "staff.csv line 3: &#39;nobody&#39; must begin with" in bad.text
        assert "a flood" in bad.text
        assert (await send(b"\xff\xfe")).status == 422
        assert "at most 100,000 lines" in (await send(b"\n" * 2**20)).text
        assert (await send(b"x" * (9 * 2**20))).status == 413
        broken = {"Content-Type": "multipart/form-data; boundary=x", "Sec-Fetch-Site": "same-origin"}
        reply = await opened(police, "POST", "/requests/new", {}, token="requester", headers=broken)
        assert reply.status == 422
        assert (await police.counts("exchange"))["exchange"] == 0


async def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(tmp_path):
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        wrong = (
            ({"partner": ""}, "must be given"),
            ({"purpose": ""}, "must be given"),
            ({"users": ""}, "must name at least one user"),
            ({"valid_until": "tomorrow"}, "must be a time"),
            ({"valid_until": "2020-01-01T00:00"}, "must be after the beginning"),
            ({"expires_at": "2028-01-01T00:00"}, "days ahead"),
            ({"urgency": "soon"}, "invalid enum value"),
            ({"services": "mcradio"}, "services"),
            ({"partner": "mc.nobody.example"}, "is not a known partner MC system"),
        )
        for changes, rule in wrong:
            reply = await opened(police, "POST", "/requests", filled(**changes), token="requester")
            assert (reply.status, rule in reply.text) == (422, True), changes
            assert KEY.search(reply.text)[1] == "k"
        assert (await police.counts("exchange"))["exchange"] == 0


async def test_what_is_refused_here_is_shown_where_it_failed(tmp_path):
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        form = filled(users="sip:stranger@mc.elsewhere.example")
        reply = await opened(police, "POST", "/requests", form, token="requester")
        assert reply.headers["Location"].endswith("?told=refused_here")
        place = reply.headers["Location"].removeprefix("/console")
        page = await opened(police, "GET", place, token="requester")
        assert 'class="step failed"' in page.text
        assert "own-users: 1 of the users do not belong to" in page.text


async def test_an_identity_editor_gives_and_whoever_gets_it_sees_so(tmp_path):
    async with (
        two_systems(tmp_path) as (police, fire),
        a_browser() as browser,
        seated(browser, fire, "identity-editor") as giver,
        seated(browser, police, "reviewer") as taker,
    ):
        await giver.page.get_by_role("link", name="Give").click()
        await expect(giver.page.get_by_label("Users", exact=True)).to_have_count(0)
        await giver.page.get_by_label("Purpose").fill("the winter exercise")
        await giver.page.get_by_role("button", name="Look at it once more").click()
        await giver.page.get_by_role("button", name="Give").click()
        await expect(giver.page.get_by_text("We give mc.metro-police.example")).to_be_visible()
        await taker.page.get_by_role("link", name="the winter exercise").click()
        id_ = re.search(r":([0-9a-f-]{36})", taker.page.url)[1]
        await taker.open(f"/exchanges/{FIRE}:{id_}")
        await expect(taker.page.get_by_text("gives us its server identities, unasked")).to_be_visible()
        await expect(taker.page.get_by_text("https://kms.mc.county-fire.example")).to_be_visible()


async def test_an_own_request_is_taken_back_after_a_last_look(tmp_path):
    async with (
        two_systems(tmp_path) as (police, _),
        a_browser() as browser,
        seated(browser, police, "requester") as desk,
    ):
        _, accepted = await police.submit(account="requester")
        id_ = accepted["id"]
        await police.reaches(id_, "stored")
        await desk.open(f"/exchanges/{id_}")
        await desk.page.get_by_role("link", name="Take back").click()
        await desk.page.get_by_label("Why").fill("the flood is over")
        await desk.page.get_by_role("button", name="Take it back").click()
        await expect(desk.page.get_by_text("The request is taken back")).to_be_visible()
        await police.reaches(id_, "withdrawn")
        await expect(desk.page.get_by_text("The partner confirms the withdrawal")).to_be_visible()
        await expect(desk.page.get_by_role("link", name="Take back")).to_have_count(0)

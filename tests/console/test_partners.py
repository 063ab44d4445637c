"""The partners in a browser: their list and picture, one partner, and what people do about it, at both ends."""

import re
from pathlib import Path

import msgspec
from playwright.async_api import expect

from acmx.bootstrap import keep_certificates
from acmx.domain.moments import to_ms
from acmx.storage.partnership import partners
from acmx.storage.partnership.partners import Partner
from acmx.trust.signatures import body_digest
from support.systems.browsers import a_browser, barriers, seated, two_desks
from support.systems.pages import opened
from support.systems.systems import FIRE, POLICE, START, System, eventually, two_systems

ADMINISTRATOR = "partner-administrator"
EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'


def another(of: System, id_: str, **metadata: str) -> Partner:
    """A partner who is suspended here, and has the metadata of this system but for these members."""
    changed = msgspec.json.decode(of.own.metadata) | {"system": id_} | metadata
    encoded = msgspec.json.encode(changed)
    name, digest = changed["name"], body_digest(encoded)
    return Partner(id_, name, "suspended", "accepted", 0, encoded, digest, told="suspended")


async def known(system: System, *more: Partner) -> None:
    await system.store.write(lambda tx: [partners.insert(tx, partner) for partner in more])


async def stands(system: System, other: str, state: str) -> None:
    """The partnership has come to this state, as this system knows it."""
    await eventually(lambda: system.done("GET", f"/partners/{other}"), lambda p: p["state"] == state)


async def test_what_one_side_says_of_the_partnership_appears_at_the_other(tmp_path):
    async with two_desks(tmp_path, ADMINISTRATOR, ADMINISTRATOR) as (here, there):
        page = here.page
        await there.open(f"/partners/{POLICE}")
        await here.open("/partners")
        await expect(page.get_by_role("cell", name="established")).to_be_visible()
        await page.get_by_role("table").get_by_role("link", name=FIRE).click()
        await page.get_by_role("link", name="Suspend").click()
        assert (await here.system.done("GET", f"/partners/{FIRE}"))["state"] == "established"
        await page.get_by_label("Reason").fill("maintenance until Monday")
        here.system.clock.advance(seconds=1)
        await page.get_by_role("button", name="Suspend").click()
        await expect(page.get_by_text("The partnership is suspended.")).to_be_visible()
        await expect(page.get_by_text("suspended by us")).to_be_visible()
        await stands(there.system, POLICE, "suspended")
        await expect(there.page.get_by_text("suspended by them")).to_be_visible()
        await expect(there.page.get_by_text("maintenance until Monday")).to_be_visible()
        await there.open("/partners")
        await expect(there.page).to_have_title("Partners · ACM console")
        here.system.clock.advance(seconds=1)
        await page.get_by_role("link", name="Resume").click()
        await page.get_by_role("button", name="Resume").click()
        await expect(page.get_by_text("is taken up again")).to_be_visible()
        await stands(there.system, POLICE, "established")
        await expect(there.page.get_by_role("cell", name="established")).to_be_visible()


async def test_ending_a_partnership_asks_gravely_for_a_reason(tmp_path):
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        await police.submit()
        path = f"/partners/{FIRE}/removal"
        asked = await opened(police, "GET", path, token=ADMINISTRATOR)
        assert 'class="grave"' in asked.text
        assert "One message waits for it now and will not be sent." in asked.text
        refused = await opened(police, "POST", path, {"reason": " "}, token=ADMINISTRATOR)
        assert (refused.status, 'id="reason-fault-1"' in refused.text) == (422, True)
        assert (await police.done("GET", f"/partners/{FIRE}"))["state_here"] == "accepted"
        done = await opened(police, "POST", path, {"reason": "the end"}, token=ADMINISTRATOR)
        assert (done.status, done.headers["Location"]) == (303, f"/console/partners/{FIRE}?told=removed")
        page = await opened(police, "GET", f"/partners/{FIRE}", token=ADMINISTRATOR)
        assert "To begin anew, take in its file again." in page.text
        assert "/removal" not in page.text
        again = await opened(police, "POST", f"/partners/{FIRE}/resumption", token=ADMINISTRATOR)
        assert (again.status, "the partnership is removed here" in again.text) == (409, True)


async def test_a_link_that_fails_is_seen_without_a_notice_and_sent_again_by_hand(tmp_path):
    async with (
        two_systems(tmp_path) as (police, fire),
        a_browser() as browser,
        seated(browser, police, "operator") as desk,
    ):
        page = desk.page
        await page.clock.install()
        await desk.open("/outbox")
        await expect(page.get_by_text("Nothing waits")).to_be_visible()
        await fire.stop()
        _, accepted = await police.submit()
        await eventually(lambda: police.done("GET", f"/partners/{FIRE}"), lambda p: "last_error" in p)
        await page.clock.fast_forward(10_000)
        await expect(page.get_by_text(accepted["id"]).first).to_be_visible()
        await expect(page.get_by_text("Cannot connect").first).to_be_visible()
        await desk.open(f"/partners/{FIRE}")
        await expect(page.get_by_text("no contact")).to_be_visible()
        await expect(page.get_by_role("cell", name=accepted["id"]).first).to_be_visible()
        assert await barriers(page) == []
        later = to_ms(START) + 3_600_000
        await police.store.write(lambda tx: partners.link_failed(tx, FIRE, 1, "down", later))
        await fire.start()
        await page.get_by_role("button", name="Send now what waits").click()
        await expect(page.get_by_text("What was put off is sent again now.")).to_be_visible()
        await police.reaches(accepted["id"], "stored")
        await eventually(lambda: police.done("GET", f"/partners/{FIRE}"), lambda p: "last_error" not in p)
        await page.clock.fast_forward(10_000)
        await expect(page.get_by_text("established", exact=True)).to_be_visible()
        await desk.open("/outbox")
        await expect(page.get_by_text("Nothing waits")).to_be_visible()


async def test_the_check_shows_what_the_command_shows(tmp_path):
    async with (
        two_systems(tmp_path) as (police, _),
        a_browser() as browser,
        seated(browser, police, "operator") as desk,
    ):
        page = desk.page
        await desk.open(f"/partners/{FIRE}")
        await page.get_by_role("button", name="Check the link").click()
        rows = page.locator(".findings li")
        await expect(rows.first).to_be_visible()
        found = (await police.done("POST", f"/partners/{FIRE}/check", account="operator"))["items"]
        words = {"ok": "well", "warning": "look at it", "failed": "failed"}
        assert [" ".join(text.split()) for text in await rows.all_inner_texts()] == [
            f"{words[finding['status']]} {finding['name']} {finding['text']}" for finding in found
        ]
        assert await barriers(page) == []


async def test_a_change_of_the_partner_is_taken_by_whoever_has_asked_them(tmp_path):
    async with (
        two_systems(tmp_path) as (police, fire),
        a_browser() as browser,
        seated(browser, fire, ADMINISTRATOR) as desk,
    ):
        page = desk.page
        keep_certificates.publish_next(police.directory, None, police.clock)
        police.server.renew()
        path = f"/partners/{POLICE}/change"
        change = await eventually(lambda: fire.done("GET", path), lambda found: found["fields"])
        await desk.open(f"/partners/{POLICE}")
        await page.get_by_role("link", name="Look at the change").click()
        (new,) = set(change["fields"][0]["new"]) - set(change["fields"][0]["old"])
        await expect(page.locator("ins")).to_have_text(new)
        assert await barriers(page) == []
        token = ADMINISTRATOR
        unasked = await opened(fire, "POST", path, {"seen": change["seen"]}, token=token)
        assert (unasked.status, "must be said" in unasked.text) == (422, True)
        stale = await opened(fire, "POST", path, {"seen": "another", "asked": "yes"}, token=token)
        assert (stale.status, "has changed it again" in stale.text) == (412, True)
        assert (await fire.done("GET", f"/partners/{POLICE}"))["change_waits"]
        await page.get_by_label("I have asked the partner").check()
        await page.get_by_role("button", name="Take the change").click()
        await expect(page.get_by_text("The change is taken")).to_be_visible()
        assert (await fire.done("GET", path))["fields"] == []


async def test_terms_and_approvals_are_forms_whose_faults_stand_at_their_fields(tmp_path):
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        path, token = f"/partners/{FIRE}/terms", ADMINISTRATOR
        good = {
            "kinds": ["server-identity"],
            "askers": f"requester\r\nsip:silva@{POLICE}\r\n",
            "max_open": "20",
            "max_users": "50",
            "max_per_hour": "10",
            "reprovision": "yes",
            "note": "agreement 7",
        }
        wrong = {
            'id="max_open-fault-1">many: must be a number': {"max_open": "many"},
            'id="max_users-fault-1">expected': {"max_users": "0"},
            'id="askers-fault-1">nobody: must be an MC service ID or a role': {"askers": "nobody"},
            "gossip: must be one of server-identity": {"kinds": "gossip"},
        }
        before = (await police.done("GET", f"/partners/{FIRE}"))["terms"]
        for said, change in wrong.items():
            reply = await opened(police, "POST", path, good | change, token=token)
            assert (reply.status, said in reply.text) == (422, True), (said, reply.text)
            assert "agreement 7" in reply.text
        assert (await police.done("GET", f"/partners/{FIRE}"))["terms"] == before
        assert (await opened(police, "POST", path, good, token=token)).status == 303
        assert (await police.done("GET", f"/partners/{FIRE}"))["terms"] == {
            "kinds": ["server-identity"],
            "askers": ["requester", f"sip:silva@{POLICE}"],
            "max_open": 20,
            "max_users": 50,
            "max_per_hour": 10,
            "note": "agreement 7",
            "reprovision": True,
        }
        filled = await opened(police, "GET", path, token=token)
        assert filled.text.count(" checked") == 2
        path = f"/partners/{FIRE}/approvals/server-identity"
        good = {"review": "2", "review_roles": ["auditor", "operator"], "release": "0"}
        for said, change in {
            'id="review-fault-1">0: must be at least 1': {"review": "0"},
            'id="release-fault-1">must be a number': {"release": ""},
            "king: must be one of": {"release_roles": "king"},
        }.items():
            reply = await opened(police, "POST", path, good | change, token=token)
            assert (reply.status, said in reply.text) == (422, True), (said, reply.text)
        assert (await opened(police, "POST", path, good, token=token)).status == 303
        page = await opened(police, "GET", f"/partners/{FIRE}", token="auditor")
        assert "2 to review (auditor, operator), 0 to release" in " ".join(page.text.split())


async def test_what_one_may_not_do_is_not_shown(tmp_path):
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        _, accepted = await police.submit()
        acts = {
            "/suspension": {ADMINISTRATOR},
            "/removal": {ADMINISTRATOR},
            "/terms": {ADMINISTRATOR},
            "/comparison": {ADMINISTRATOR},
            "/check": {ADMINISTRATOR, "operator"},
            "/outbox/retry": {ADMINISTRATOR, "operator"},
            accepted["id"]: {ADMINISTRATOR, "operator"},
            'href="/console/outbox"': {ADMINISTRATOR, "operator"},
        }
        for role in ("requester", "auditor", "operator", ADMINISTRATOR):
            page = await opened(police, "GET", f"/partners/{FIRE}", token=role)
            for act, roles in acts.items():
                assert (act in page.text) is (role in roles), (role, act)
            listed = await opened(police, "GET", "/partners", token=role)
            assert ("/partners/new" in listed.text) is (role == ADMINISTRATOR)


async def test_a_hundred_partners_are_searched_and_paged_and_a_few_are_drawn(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        await police.start()
        page = await opened(police, "GET", "/partners", token="requester")
        assert page.text.count('class="map"') == 1
        assert page.text.count(f'href="/console/partners/{FIRE}"') == 2
        await known(police, another(fire, "mc.evil.example", name=EVIL, contact="{{ 7 * 7 }}"))
        page = await opened(police, "GET", "/partners", token="requester")
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "{{ 7 * 7 }}" in page.text
        await known(
            police,
            *(
                another(fire, f"mc.p{n:03}.example", name=f"Station {n}", contact=f"call {n}")
                for n in range(120)
            ),
        )

        async def look(query: str) -> tuple[list[str], str]:
            page = await opened(police, "GET", f"/partners{query}", token="requester")
            assert (page.status, len(page.text.encode()) < 100_000) == (200, True)
            assert 'class="map"' not in page.text
            found = re.search(r'href="/console/partners(\?[^"]*after=[^"]+)" rel="next"', page.text)
            following = found[1].replace("&amp;", "&") if found else ""
            return re.findall(r'<td><a href="/console/partners/([^"]+)"', page.text), following

        first, following = await look("")
        assert (len(first), first[0]) == (50, FIRE)
        second, _ = await look(following)
        assert (len(second), second[0] > first[-1]) == (50, True)
        assert (await look("?find=call+119"))[0] == ["mc.p119.example"]
        assert (await look("?find=STATION+12"))[0][0] == "mc.p012.example"
        assert await look("?condition=established&find=station") == ([], "")
        assert len((await look("?condition=suspended-here&find=p11"))[0]) == 10

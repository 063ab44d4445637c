"""The journal in a browser: filtered, verified in words, and taken away byte for byte."""

import msgspec
import pytest
from playwright.async_api import expect

from acmx.flows.evidence import audit
from integration.provisioning.test_provisioning import answered
from support.systems.browsers import a_browser, seated
from support.systems.pages import opened
from support.systems.systems import FIRE, System, two_systems


async def verified(system: System, against: str = "") -> str:
    reply = await opened(system, "POST", "/audit", {"act": "verify", "against": against}, token="auditor")
    assert reply.status == 200, reply.text
    return reply.text


async def test_an_auditor_filters_verifies_and_takes_the_journal_away(tmp_path):
    async with two_systems(tmp_path) as (police, fire), a_browser() as browser:
        id_ = await answered(police, fire)
        async with seated(browser, fire, "auditor") as desk:
            page = desk.page
            await page.get_by_role("link", name="Audit").click()
            await page.get_by_role("textbox", name="Exchange").fill(id_)
            await page.get_by_role("button", name="Filter").click()
            await expect(page.get_by_role("link", name="reviewed")).to_be_visible()
            await expect(page.get_by_role("link", name="policy set")).to_have_count(0)
            await page.get_by_role("link", name="reviewed").click()
            await expect(page.get_by_label("Event")).to_have_value("reviewed")
            await expect(page.get_by_role("row")).to_have_count(2)
            await page.get_by_role("button", name="Verify the journal").click()
            await expect(page.get_by_text("The journal is as it was sealed.")).to_be_visible()
            for _ in range(2):
                async with page.expect_download() as download:
                    await page.get_by_role("button", name="Export the journal").click()
                assert (await download.value).suggested_filename == f"journal-{FIRE}.jsonl"
            async with page.expect_download() as download:
                await page.get_by_role("link", name="Download a checkpoint").click()
            assert (await download.value).suggested_filename.startswith(f"checkpoint-{FIRE}-")


async def test_an_export_is_what_was_sealed_and_ends_with_a_checkpoint(systems):
    police, fire = systems
    await answered(police, fire)
    form = {"act": "export", "since": ""}
    exported = (await opened(fire, "POST", "/audit", form, token="auditor")).text.splitlines()
    rows = (await fire.done("GET", "/audit/rows?limit=1000"))["items"]
    assert exported[:-1] == [row["line"] for row in rows][: len(exported) - 1]
    assert len(exported) > 5
    last = msgspec.json.decode(exported[-1])
    assert msgspec.json.decode(last["checkpoint"])["size"] == len(exported) - 1
    form["since"] = "2026-11-24"
    later = (await opened(fire, "POST", "/audit", form, token="auditor")).text.splitlines()
    assert len(later) < len(exported)


async def test_what_was_changed_is_said_in_words(systems):
    police, fire = systems
    await answered(police, fire)
    taken = await opened(fire, "GET", "/audit/checkpoint", token="auditor")
    other = await opened(police, "GET", "/audit/checkpoint", token="auditor")
    wrong = {"act": "verify", "against": other.text}
    reply = await opened(fire, "POST", "/audit", wrong, token="auditor")
    assert (reply.status, f"is not a checkpoint of {FIRE}" in reply.text) == (422, True)
    assert "The journal is as it was sealed." in await verified(fire, taken.text)
    await fire.store.write(
        lambda tx: tx.execute("UPDATE journal SET actor = 'somebody' WHERE event = 'reviewed'", {})
    )
    page = await verified(fire, taken.text)
    assert "One thing is wrong with the journal." in page
    assert "is not as it was sealed: changed" in page
    reply = await opened(fire, "POST", "/audit", {"act": "verify", "against": "{"}, token="auditor")
    assert (reply.status, 'id="against-fault-1"' in reply.text) == (422, True)
    reply = await opened(fire, "POST", "/audit", {"act": "export", "since": "monday"}, token="auditor")
    assert (reply.status, 'id="since-fault-1"' in reply.text) == (422, True)


async def test_of_a_long_journal_a_part_is_looked_at_in_one_go(systems, monkeypatch: pytest.MonkeyPatch):
    police, fire = systems
    await answered(police, fire)
    monkeypatch.setattr(audit, "LOOKED_AT", 2)
    found, after, empty = [], "", 0
    while after is not None:
        query = f"event=policy-set&limit=1{after and f'&after={after}'}"
        page = await fire.done("GET", f"/audit?{query}")
        found += page["items"]
        empty += not page["items"]
        after = page.get("next")
    assert ([row["event"] for row in found], empty > 1) == (["policy-set"], True)
    page = await opened(fire, "GET", "/audit?event=policy-set", token="auditor")
    assert "among the rows looked at so far" in page.text
    assert 'rel="next"' in page.text


async def test_the_account_stands_beside_the_mc_service_id_of_who_did_it(systems):
    police, fire = systems
    id_ = await answered(police, fire)
    for place in ("/audit?event=reviewed", f"/exchanges/{id_}"):
        shown = (await opened(fire, "GET", place, token="auditor" if "audit" in place else "admin")).text
        assert f"sip:admin@{FIRE} (admin)" in shown

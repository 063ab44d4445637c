"""The policy in a browser: tried on what has arrived, set after a last look, and explained."""

import asyncio
from typing import Any

from playwright.async_api import expect

from integration.provisioning.test_provisioning import answered
from support.systems.browsers import a_browser, seated
from support.systems.pages import opened
from support.systems.systems import POLICE, System, two_systems

DECLINE = '@id("never") permit (principal, action == Action::"decline", resource);'
PURPOSE = "flood in the harbour"
APPROVE = (
    '@id("always") permit (principal, action == Action::"approve", resource == Kind::"server-identity");'
)


async def policy(system: System) -> Any:
    return await system.done("GET", "/policy")


async def test_a_policy_is_tried_on_what_has_arrived_and_set_after_a_last_look(tmp_path):
    async with two_systems(tmp_path) as (police, fire), a_browser() as browser:
        id_ = await answered(police, fire)
        async with seated(browser, fire, "partner-administrator") as desk:
            page = desk.page
            await page.get_by_role("link", name="Policy").click()
            await page.get_by_role("link", name="Change or try another").click()
            text = page.get_by_label("Policy text")
            await text.fill(DECLINE.replace("resource", "resourc"))
            await page.get_by_role("button", name="Try it").click()
            await expect(page.locator("#text-fault-1")).to_be_visible()
            desk.troubles.clear()
            await text.fill(DECLINE)
            await page.get_by_role("button", name="Try it").click()
            await expect(page.get_by_role("heading", name="Tried on one request")).to_be_visible()
            row = page.get_by_role("row", name=id_)
            await expect(row.locator(".striking")).to_have_text("declined")
            await expect(row).to_contain_text("never")
            await page.get_by_role("button", name="Set it").click()
            assert (await policy(fire))["rules"] == []
            await page.get_by_role("button", name="Go back").click()
            await expect(text).to_have_value(DECLINE)
            await page.get_by_role("button", name="Set it").click()
            await page.get_by_role("button", name="Set the policy").click()
            await expect(page.get_by_text("The policy is set")).to_be_visible()
            assert (await policy(fire))["rules"] == ["never"]
            await page.get_by_role("textbox", name="Exchange").fill(id_)
            await page.get_by_role("button", name="Explain it").click()
            await expect(page.get_by_role("heading", name="A person decided")).to_be_visible()
            await expect(page.get_by_role("row", name="realms")).to_contain_text(POLICE)


async def test_a_form_that_is_sent_twice_is_one_version_and_nobody_is_overwritten(systems):
    _, fire = systems
    version = (await policy(fire))["version"]
    form = {"text": APPROVE, "replaces": str(version), "sure": "yes"}
    replies = await asyncio.gather(
        *(opened(fire, "POST", "/policy", form, token="partner-administrator") for _ in range(3))
    )
    assert {reply.headers["Location"] for reply in replies} == {"/console/policy?told=policy_set"}
    assert (await policy(fire))["version"] == version + 1
    late = await opened(fire, "POST", "/policy", form | {"text": DECLINE}, token="admin")
    assert (late.status, "@id(&#34;never&#34;)" in late.text) == (412, True)
    for replaces in ("", "-1", "x"):
        odd = form | {"text": DECLINE, "replaces": replaces}
        assert (await opened(fire, "POST", "/policy", odd, token="admin")).status == 412
    assert (await policy(fire))["rules"] == ["always"]


async def test_trying_does_not_take_the_place_of_looking_at_what_was_set_meanwhile(systems):
    _, fire = systems
    version = (await policy(fire))["version"]
    await fire.done("PUT", "/policy", {"text": APPROVE})
    form = {"text": DECLINE, "last": "10", "replaces": str(version)}
    for more in ({}, {"act": "back"}, {"last": "x"}, {"text": "permit"}):
        page = await opened(fire, "POST", "/policy/trial", form | more, token="admin")
        assert f'name="replaces" value="{version}"' in page.text, more
    page = await opened(fire, "POST", "/policy", form | {"text": "permit"}, token="admin")
    assert f'name="replaces" value="{version}"' in page.text
    assert (await opened(fire, "POST", "/policy", form | {"sure": "yes"}, token="admin")).status == 412
    assert (await policy(fire))["rules"] == ["always"]


async def test_who_may_not_set_it_may_try_it(systems):
    police, fire = systems
    id_ = await answered(police, fire)
    form = {"text": APPROVE, "last": "10"}
    page = await opened(fire, "POST", "/policy/trial", form, token="reviewer")
    assert (page.status, "Set it" in page.text, id_ in page.text) == (200, False, True)
    for token, told in (("reviewer", True), ("partner-administrator", False)):
        page = await opened(fire, "POST", "/policy/trial", form, token=token)
        assert (f"</span> {POLICE}</td>" in page.text, PURPOSE in page.text) == (True, told), token
    for last in ("0", "1001", "x", ""):
        page = await opened(fire, "POST", "/policy/trial", form | {"last": last}, token="reviewer")
        assert (page.status, 'id="last-fault-1"' in page.text) == (422, True), last
    one = form | {"against": id_, "last": "x"}
    page = await opened(fire, "POST", "/policy/trial", one, token="reviewer")
    assert (page.status, "Tried on one request" in page.text) == (200, True)
    nowhere = form | {"against": "01a206cb-f5c6-77ad-94c0-f9f1f6155a0d"}
    assert (await opened(fire, "POST", "/policy/trial", nowhere, token="reviewer")).status == 404
    assert "Change or try another" not in (await opened(fire, "GET", "/policy", token="auditor")).text

"""Signing in at the console with a real OpenID provider."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import expect

from support.partner.openid import ALICE, Provider, running
from support.systems.browsers import Desk, a_browser, seated
from support.systems.pages import opened
from support.systems.systems import POLICE, System, two_systems


@asynccontextmanager
async def a_system(tmp: Path, **settings: Any) -> AsyncIterator[tuple[System, Provider]]:
    """The police, whose people sign in at the provider; its clock shows the real time."""
    async with two_systems(tmp, start=False) as (police, _):
        police.clock.now = datetime.now(UTC)
        with running(consoles=(f"https://{police.config.acm1.listen}/console/sign-in/answer",)) as provider:
            oidc = provider.settings(police.directory, client_id="console", **settings)
            police.config = msgspec.structs.replace(police.config, oidc=oidc)
            await police.start()
            yield police, provider


async def sign_in(desk: Desk, person: str) -> None:
    await desk.page.get_by_role("link", name=re.compile("Sign in with")).click()
    await desk.page.locator("[name=login]").fill(person)
    await desk.page.locator("[name=password]").fill("any")
    await desk.page.locator("[type=submit]").click()
    await desk.page.get_by_role("button", name="Continue").click()


async def test_a_person_signs_in_at_the_provider_and_is_back_where_they_wanted_to_go(tmp_path):
    async with (
        a_system(tmp_path, offline_access=True) as (police, _),
        a_browser() as browser,
        seated(browser, police) as desk,
    ):
        await desk.open("/exchanges?state=stored")
        await sign_in(desk, "alice")
        await desk.page.wait_for_url("**/exchanges?state=stored")
        await desk.page.get_by_text("oidc:alice", exact=True).click()
        await expect(desk.page.get_by_text(ALICE["mcptt_id"])).to_be_visible()
        cookies = await desk.context.cookies(desk.address)
        kept = {cookie["name"]: cookie for cookie in cookies if "acmx" in str(cookie["name"])}
        assert set(kept) == {"__Host-acmx"}
        assert (kept["__Host-acmx"]["httpOnly"], kept["__Host-acmx"]["sameSite"]) == (True, "Strict")
        await desk.page.get_by_role("button", name="Sign out").click()
        await expect(desk.page.get_by_text("You are signed out.")).to_be_visible()
        rows = (await police.done("GET", "/audit", account="auditor"))["items"]
        assert [row["actor"] for row in rows if row["event"] == "logged-on"] == [ALICE["mcptt_id"]]
        desk.troubles.clear()


async def test_who_is_of_another_system_is_told_so_and_not_let_in(tmp_path):
    async with (
        a_system(tmp_path) as (police, _),
        a_browser() as browser,
        seated(browser, police) as desk,
    ):
        await desk.open("/inbox")
        await sign_in(desk, "mallory")
        await expect(desk.page.get_by_text(f"does not belong to {POLICE}")).to_be_visible()
        await desk.open("/inbox")
        assert "/sign-in" in desk.page.url
        desk.troubles.clear()


async def test_an_answer_that_this_browser_did_not_ask_for_is_refused(tmp_path):
    async with a_system(tmp_path) as (police, _):
        begun = await opened(police, "GET", "/sign-in/provider?next=/console/exchanges")
        assert begun.status == 303
        cookie = begun.headers["Set-Cookie"].partition(";")[0]
        assert "SameSite=lax" in begun.headers["Set-Cookie"]
        state = cookie.partition("=")[2].split(".")[0]
        for query, headers in (
            (f"code=x&state={state}", {}),
            ("code=x&state=another", {"Cookie": cookie}),
            ("code=x", {"Cookie": cookie}),
            (f"error=access_denied&state={state}", {"Cookie": cookie}),
            (f"code=invented&state={state}&iss=https://evil.example", {"Cookie": cookie}),
        ):
            reply = await opened(police, "GET", f"/sign-in/answer?{query}", headers=headers)
            assert reply.status == 401, query
            assert "__Host-acmx=" not in reply.headers.get("Set-Cookie", "")


async def test_without_the_provider_a_local_account_still_opens_the_door(tmp_path):
    async with a_system(tmp_path) as (police, provider):
        provider.stop()
        reply = await opened(police, "GET", "/sign-in/provider")
        assert (reply.status, "sign in with a local account" in reply.text) == (503, True)
        form = {"account": "admin", "password": "correct horse battery staple"}
        assert (await opened(police, "POST", "/sign-in", form)).status == 200

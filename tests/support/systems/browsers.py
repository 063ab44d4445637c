"""Two people at two browsers, on two real MC systems."""

import atexit
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Request, async_playwright, expect

from support.systems.processes import Process
from support.systems.systems import PASSWORD, System, two_systems

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
REQUIRED = "ACMX_TEST_BROWSER"
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
LISTENING = "DevTools listening on "
PATIENCE = 30_000.0
"""Milliseconds: the machine may be busy."""
expect.set_options(timeout=PATIENCE)


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    """The one browser of this test process; people get contexts of their own in it (`seated`).

    Skips the test where there is none, unless the environment says that there has to be one.
    """
    if CHROMIUM is None:
        if REQUIRED in os.environ:
            pytest.fail(f"there is no chromium, and {REQUIRED} is set")
        pytest.skip("there is no chromium: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(_chromium(CHROMIUM))
        try:
            yield browser
        finally:
            await browser.close()


@cache
def _chromium(program: str) -> str:
    """Started once a test process; the address at which it is steered."""
    profile = Path(tempfile.mkdtemp(prefix="acmx-chromium-"))
    arguments = (*ARGUMENTS, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}")
    process = Process(program, *arguments, "about:blank")

    def end() -> None:
        process.end()
        shutil.rmtree(profile, ignore_errors=True)

    atexit.register(end)
    return process.says(LISTENING).partition(LISTENING)[2].strip()


class Desk:
    """A person at a browser: the page they look at, and what went wrong in it."""

    def __init__(self, system: System, context: BrowserContext, page: Page) -> None:
        """`strange` are the requests of pages to anybody else, `streams` counts those for the notification stream."""
        self.system = system
        self.address = console(system)
        self.context = context
        self.page = page
        self.troubles: list[str] = []
        self.strange: list[str] = []
        self.streams = 0
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda said: self.troubles.append(said.text) if said.type == "error" else None)
        context.on("request", self._look)

    def _look(self, request: Request) -> None:
        url = request.url
        self.streams += url.endswith("/console/notifications")
        ours = not request.is_navigation_request() and request.frame.url.startswith(self.address)
        if ours and not url.startswith(self.address):
            self.strange.append(url)

    async def open(self, path: str) -> None:
        await self.page.goto(self.address + path)

    async def sign_in(self, account: str) -> None:
        await self.open("/sign-in")
        await self.page.get_by_label("Account").fill(account)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.wait_for_url("**/inbox")


def console(system: System) -> str:
    return system.url.removesuffix("/acm1/v1") + "/console"


@asynccontextmanager
async def seated(
    browser: Browser, system: System, account: str = "", **options: object
) -> AsyncIterator[Desk]:
    """A browser of its own for this person, who has signed in unless `account` is empty; nothing may go wrong in it."""
    context = await browser.new_context(ignore_https_errors=True, timezone_id="Europe/Berlin", **options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    desk = Desk(system, context, await context.new_page())
    try:
        if account:
            await desk.sign_in(account)
        yield desk
        assert desk.troubles == []
        assert desk.strange == []
    finally:
        await context.close()


@asynccontextmanager
async def two_desks(tmp: Path, police_account: str, fire_account: str) -> AsyncIterator[tuple[Desk, Desk]]:
    async with (
        two_systems(tmp) as (police, fire),
        a_browser() as browser,
        seated(browser, police, police_account) as asker,
        seated(browser, fire, fire_account) as decider,
    ):
        yield asker, decider


AXE = Path(__file__).parents[2] / "axe"
STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


async def barriers(page: Page) -> list[str]:
    """What axe-core finds that keeps people from using this page, by the rules of WCAG 2.2 AA; light and dark."""
    found = []
    await page.evaluate(_axe())
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        result = await page.evaluate("tags => axe.run({runOnly: tags})", list(STANDARDS))
        found += [
            f"{scheme}: {violation['id']}: {node['html'][:200]}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
    return found


@cache
def _axe() -> str:
    """Skips the test where there is no npm, and only there."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: axe-core cannot be had")
    with (AXE / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (AXE / "node_modules" / ".package-lock.json").exists():
            subprocess.run(["npm", "ci"], cwd=AXE, check=True, capture_output=True)
    return (AXE / "node_modules" / "axe-core" / "axe.min.js").read_text()

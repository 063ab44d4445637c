"""What is photographed: the page, who sees it, at which size and in which colours, and what they do before."""

from collections.abc import Awaitable, Callable

import msgspec
from docs.screenshots.town import OFFICERS, TIGHTER, Town
from playwright.async_api import Page

from support.systems.systems import FIRE, POLICE, System

SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}


async def nothing(page: Page) -> None:
    """Only look."""
    await page.wait_for_load_state()


class Shot(msgspec.Struct, frozen=True):
    """`whole`: the page to its end, not only what the window shows."""

    name: str
    system: System
    account: str
    path: str
    size: str = "desk"
    scheme: str = "light"
    act: Callable[[Page], Awaitable[None]] = nothing
    whole: bool = False


def shots(town: Town) -> list[Shot]:
    police, fire, asked = town.police, town.fire, town.asked
    flood, night = (f"/exchanges/{POLICE}:{asked[name]}" for name in ("flood", "night"))
    review = f"{flood}/review"
    return [
        Shot("sign-in", police, "", "/sign-in"),
        Shot("inbox", fire, "m.okafor", "/inbox"),
        Shot("inbox-phone", fire, "m.okafor", "/inbox", size="phone"),
        Shot("exchanges", police, "j.brandt", "/exchanges"),
        Shot("review", fire, "m.okafor", review, whole=True, act=decide),
        Shot("review-phone", fire, "m.okafor", review, size="phone", scheme="dark"),
        Shot("exchange-under-way", police, "a.weber", flood, whole=True),
        Shot("exchange-done", police, "a.weber", night, scheme="dark", whole=True),
        Shot("new-request", police, "a.weber", "/requests/new", whole=True, act=fill_in),
        Shot("partners", police, "k.lindqvist", "/partners"),
        Shot("partner", police, "k.lindqvist", f"/partners/{FIRE}"),
        Shot("onboarding", police, "k.lindqvist", "/partners/mc.coast-guard.example/acceptance"),
        Shot("server-identities", fire, "a.weber", "/identities/entry"),
        Shot("provisioning", police, "a.weber", f"{night}/provisioning", whole=True, act=preview),
        Shot("audit", police, "s.moreau", "/audit", act=verify),
        Shot("policy-trial", fire, "k.lindqvist", "/policy/trial", scheme="dark", whole=True, act=try_it),
    ]


async def decide(page: Page) -> None:
    await page.get_by_label("Reason").fill("As agreed with the operations staff")


async def fill_in(page: Page) -> None:
    await page.get_by_label("Partner").select_option(FIRE)
    await page.get_by_label("Purpose").fill("Crowd management, New Year at the river")
    await page.get_by_label("Users", exact=True).fill("\n".join(OFFICERS[:7]))


async def preview(page: Page) -> None:
    await page.get_by_role("button", name="Preview the differences").click()
    await page.get_by_role("heading", name="Preview done").wait_for()
    await page.get_by_role("button", name="Put on the CMS").wait_for()


async def verify(page: Page) -> None:
    await page.get_by_role("button", name="Verify the journal").click()
    await page.wait_for_selector("#verdict")


async def try_it(page: Page) -> None:
    await page.get_by_label("Policy text").fill(TIGHTER)
    await page.get_by_role("button", name="Try it").click()
    await page.wait_for_selector("#tried")

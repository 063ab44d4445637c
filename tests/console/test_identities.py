"""The server identities in a browser: entered by the rules, compared, taken over from a document, never overwritten."""

import asyncio
import tomllib
from typing import Any

import msgspec
import pytest
from playwright.async_api import expect

from acmx.domain import server_identity
from acmx.faces.console.forms import Form
from acmx.faces.console.holdings import identity_form
from acmx.faces.console.texts import ENGLISH
from integration.provisioning.test_provisioning import answered
from support.systems.browsers import a_browser, seated
from support.systems.pages import opened
from support.systems.systems import EXAMPLES, POLICE, System, two_systems

CATALOGUES = sorted((EXAMPLES / "catalogues").glob("*.toml"))
DOCUMENT = EXAMPLES / "documents" / "all-services" / "ue-init-config.xml"
ENTRY = "/identities/entry"


def filled_in(document: dict[str, Any], **changes: str) -> dict[str, str]:
    """The form as a browser sends it."""
    fields = (field for group in identity_form.groups(document) for field in group.fields)
    return {field.name: field.value for field in fields} | {"act": "enter"} | changes


async def current(system: System) -> Any:
    return await system.done("GET", "/server-identities")


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_the_form_holds_every_field_of_a_catalogue(path):
    document = tomllib.loads(path.read_text())
    form = Form({name: [value] for name, value in filled_in(document).items()})
    assert identity_form.document_of(form) == document


def test_every_leaf_of_the_table_has_a_field_and_words():
    leaves = {leaf for group in identity_form.GROUPS.values() for leaf in group}
    leaves |= {f"{name}.{leaf}" for name, entry in identity_form.LISTS.items() for leaf in entry}
    assert leaves == set(leaves_of(server_identity.ServerIdentity))
    assert leaves == set(ENGLISH.tables["identity"])


def leaves_of(struct: type[msgspec.Struct], at: str = "") -> list[str]:
    found = []
    for field in msgspec.structs.fields(struct):
        names = [part for part in vars(server_identity).values() if isinstance(part, type)]
        inner = next(
            (part for part in names if issubclass(part, msgspec.Struct) and named(field.type, part)), None
        )
        found += leaves_of(inner, f"{at}{field.name}.") if inner else [at + field.name]
    return found


def named(type_: Any, struct: type) -> bool:
    return type_ is struct or struct in getattr(type_, "__args__", ())


async def test_a_version_is_entered_by_the_rules_and_compared_with_the_one_before(tmp_path):
    async with two_systems(tmp_path) as (police, fire), a_browser() as browser:
        await answered(police, fire)
        async with seated(browser, fire, "identity-editor") as desk:
            page = desk.page
            await page.get_by_role("link", name="Server identities").click()
            await expect(page.get_by_role("row", name=POLICE)).to_contain_text("1")
            await page.get_by_role("link", name="Enter a new version").click()
            kms = page.get_by_label("Key management server")
            await kms.fill("http://kms.example")
            await page.get_by_label("MCVideo server", exact=True).fill("sip:video@mc.county-fire.example")
            await page.get_by_role("button", name="Enter this version").click()
            at_kms = page.locator("#kms-fault-1")
            await expect(at_kms).to_have_text("must be an https URL")
            await expect(page.locator("[id='mcvideo_server.ipv6_required-fault-1']")).to_have_text(
                "is missing"
            )
            await kms.fill("https://keys.mc.county-fire.example")
            await page.get_by_label("MCVideo server: IPv6 required").select_option("no")
            await page.get_by_role("button", name="One more slice").click()
            await page.get_by_label("S-NSSAI").fill("1-000001")
            desk.troubles.clear()
            await page.get_by_role("button", name="Enter this version").click()
            await expect(page.get_by_text("The new version is entered")).to_be_visible()
            entered = (await current(fire))["server_identity"]
            assert entered["mcvideo_server"]["ipv6_required"] is False
            assert entered["snssai"] == [{"snssai": "1-000001"}]
            await expect(page.get_by_role("row", name="MCVideo")).to_contain_text("ready to be given")
            await page.get_by_role("button", name="Show the difference").click()
            await expect(page.get_by_text("4 fields differ.")).to_be_visible()
            row = page.get_by_role("row", name="kms")
            await expect(row.locator("del")).to_have_text("https://kms.mc.county-fire.example")
            await expect(row.locator("ins")).to_have_text("https://keys.mc.county-fire.example")


async def test_what_is_missing_is_said_for_each_service_and_admitted_on_purpose(systems):
    police, fire = systems
    document = (await current(fire))["server_identity"]
    del document["kms"], document["mcptt_server"]
    reply = await opened(fire, "POST", ENTRY, filled_in(document, replaces="1"), token="admin")
    assert (reply.status, "missing: kms" in reply.text) == (422, True)
    form = filled_in(document, replaces="1", incomplete="true")
    reply = await opened(fire, "POST", ENTRY, form, token="admin")
    assert reply.headers["Location"].endswith("told=entered_incomplete")
    page = await opened(fire, "GET", "/identities", token="auditor")
    for words in ("Incomplete", "given with gaps", "mcptt_server", "Key management server"):
        assert words in page.text
    assert "Enter a new version" not in page.text
    nothing = await opened(police, "GET", "/identities", token="identity-editor")
    assert "No server identities are entered" in nothing.text


async def test_a_form_that_is_sent_twice_is_one_version_and_nobody_is_overwritten(systems):
    _, fire = systems
    document = (await current(fire))["server_identity"]
    mine = filled_in(document | {"lms": "sip:lms@mc.county-fire.example"}, replaces="1")
    replies = await asyncio.gather(
        *(opened(fire, "POST", ENTRY, mine, token="identity-editor") for _ in range(3))
    )
    assert {reply.headers["Location"] for reply in replies} == {"/console/identities?told=entered"}
    assert (await current(fire))["version"] == 2
    late = filled_in(document | {"mc_gateway": "sip:gateway@mc.county-fire.example"}, replaces="1")
    reply = await opened(fire, "POST", ENTRY, late, token="admin")
    assert reply.status == 412
    assert "version 1 was to be replaced, now there is 2" in reply.text
    assert "sip:gateway@mc.county-fire.example" in reply.text
    assert "difference?old=1&amp;new=2" in reply.text
    assert (await current(fire))["version"] == 2


async def test_a_document_that_exists_fills_the_form_and_is_entered_after_a_look(tmp_path):
    async with two_systems(tmp_path) as (police, _), a_browser() as browser:
        async with seated(browser, police, "identity-editor") as desk:
            page = desk.page
            await desk.open("/identities/import")
            ours = tmp_path / "ours.xml"
            ours.write_text(
                DOCUMENT.read_text().replace('domain="mc.county-fire.example"', f'domain="{POLICE}"')
            )
            await page.get_by_label("File").set_input_files(ours)
            await expect(page.get_by_label("Document")).to_have_value(ours.read_text())
            await page.get_by_role("button", name="Read it").click()
            await expect(page.get_by_text("Nothing is entered yet")).to_be_visible()
            assert (await current(police))["version"] == 0
            await page.get_by_role("button", name="Enter this version").click()
            await expect(page.get_by_text("The new version is entered")).to_be_visible()
        assert (await current(police))["missing"] == []
        broken = DOCUMENT.read_text().replace("</gms>", "</gsm>")
        for text, said in (
            (broken, "is not well-formed"),
            ("", "is not well-formed"),
            ("<a/>", "line 1"),
            (DOCUMENT.read_text() + f"<!--{' ' * 256 * 1024}-->", "is larger than 0.25 MiB"),
        ):
            reply = await opened(police, "POST", "/identities/import", {"document": text}, token="admin")
            assert (reply.status, said in reply.text) == (422, True), (text[:9], reply.text)


async def test_versions_that_are_not_there_are_not_found(systems):
    _, fire = systems
    for path, status in (
        ("/identities?version=1", 200),
        ("/identities?version=7", 404),
        ("/identities?version=x", 422),
        ("/identities/difference?old=1&new=1", 200),
        ("/identities/difference?old=1", 422),
    ):
        assert (await opened(fire, "GET", path, token="auditor")).status == status, path

"""Who may open which page, what every answer carries, and from where forms are taken."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from acmx.trust.roles import ROLES
from integration.people.test_one_account import as_before, double
from support.systems.pages import SAME_ORIGIN, opened
from support.systems.permits import CONSOLE, CONSOLE_OPEN
from support.systems.systems import PASSWORD, POLICE, System, two_systems

NOTHING = "00000000-0000-7000-8000-000000000000"


def alone(tmp: Path, scenario) -> None:
    """Runs the scenario with the police's server."""

    async def run() -> None:
        async with two_systems(tmp, start=False) as (police, _):
            await police.start()
            await scenario(police)

    asyncio.run(run())


def rows(table) -> Iterator[tuple[str, str, str]]:
    for name in table:
        method, path = name.split()
        yield name, method, re.sub(r"{\w+}", NOTHING, path)


@pytest.mark.law(10)
def test_every_page_refuses_exactly_the_roles_that_the_table_does_not_permit(tmp_path):
    async def scenario(police: System) -> None:
        for name, method, path in rows(CONSOLE):
            for role in ROLES:
                if name == "POST /sign-out":
                    continue
                reply = await opened(police, method, path, token=role)
                assert (reply.status == 403) is (role not in CONSOLE[name]), (name, role, reply.text)

    alone(tmp_path, scenario)


@pytest.mark.law(10)
def test_no_page_is_shown_to_a_caller_who_is_nobody(tmp_path):
    async def scenario(police: System) -> None:
        for name, method, path in rows(CONSOLE):
            for token in ("", "stolen", "a.b.c"):
                reply = await opened(police, method, path, token=token)
                if name == "GET /notifications":
                    assert reply.status == 401
                elif method == "GET":
                    assert reply.status == 303
                    assert reply.headers["Location"].startswith("/console/sign-in?next=%2Fconsole%2F")
                else:
                    assert reply.status in (401, 403)

    alone(tmp_path, scenario)


def test_every_answer_forbids_what_pages_do_not_need(tmp_path):
    async def scenario(police: System) -> None:
        places = [*rows(CONSOLE), *rows(CONSOLE_OPEN), ("", "GET", "/nowhere"), ("", "PUT", "/inbox")]
        for _, method, path in places:
            for token in ("", "auditor"):
                reply = await opened(police, method, path, token=token)
                policy = reply.headers["Content-Security-Policy"]
                assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
                assert "unsafe" not in policy
                assert reply.headers["X-Content-Type-Options"] == "nosniff"
                assert reply.headers["Cache-Control"] == "no-store"
                assert not re.search(r"<style|<script(?! src)|\sstyle=|\son\w+=|https?://", reply.text), path

    alone(tmp_path, scenario)


def test_static_files_are_named_by_their_content_and_kept(tmp_path):
    async def scenario(police: System) -> None:
        page = await opened(police, "GET", "/sign-in")
        places = re.findall(r'(?:href|src)="/console(/static/[^"]+)"', page.text)
        assert len(places) >= 3
        for place in places:
            reply = await opened(police, "GET", place)
            assert (reply.status, "immutable" in reply.headers["Cache-Control"]) == (200, True)

    alone(tmp_path, scenario)


def test_signing_in_gives_a_cookie_that_nothing_else_can_read(tmp_path):
    async def scenario(police: System) -> None:
        form = {"account": "admin", "password": PASSWORD, "next": "/console/exchanges?state=stored"}
        reply = await opened(police, "POST", "/sign-in", form)
        assert reply.status == 200
        assert 'content="0; url=/console/exchanges?state=stored"' in reply.text
        cookie = reply.headers["Set-Cookie"]
        assert cookie.startswith("__Host-acmx=")
        assert {part.strip().lower() for part in cookie.split(";")[1:]} == {
            *("httponly", "secure", "samesite=strict", "path=/"),
        }
        token = cookie.split(";")[0].partition("=")[2]
        assert (await opened(police, "GET", "/inbox", token=token)).status == 200
        reply = await opened(police, "POST", "/sign-out", token=token)
        assert (reply.status, reply.headers["Location"]) == (303, "/console/sign-in?told=signed_out")
        assert "Max-Age=0" in reply.headers["Set-Cookie"]
        assert (await opened(police, "GET", "/inbox", token=token)).status == 303
        status, _ = await police.call("GET", "/session", account=token)
        assert status == 401

    alone(tmp_path, scenario)


def test_a_wrong_password_is_told_in_the_words_of_the_cli_and_never_shown(tmp_path):
    async def scenario(police: System) -> None:
        for form in ({"account": "admin", "password": "my wrong one"}, {"account": "admin"}, {}):
            reply = await opened(police, "POST", "/sign-in", form)
            assert reply.status == 401
            assert "The account or the password is wrong." in reply.text
            assert "my wrong one" not in reply.text
            assert "Set-Cookie" not in reply.headers

    alone(tmp_path, scenario)


def test_a_session_ends_and_the_page_comes_back_after_signing_in(tmp_path):
    async def scenario(police: System) -> None:
        form = {"account": "admin", "password": PASSWORD}
        token = (await opened(police, "POST", "/sign-in", form)).headers["Set-Cookie"].split(";")[0][12:]
        police.clock.advance(hours=12)
        reply = await opened(police, "GET", "/exchanges?state=stored", token=token)
        assert reply.status == 303
        assert reply.headers["Location"] == (
            "/console/sign-in?next=%2Fconsole%2Fexchanges%3Fstate%3Dstored&told=ended"
        )
        page = await opened(police, "GET", reply.headers["Location"].removeprefix("/console"))
        assert 'value="/console/exchanges?state=stored"' in page.text
        assert "Your session has ended" in page.text

    alone(tmp_path, scenario)


def test_nobody_is_sent_away_after_signing_in(tmp_path):
    elsewhere = (
        *("https://evil.example/", "//evil.example/", "/\\evil.example", "/console/../acm1", ""),
        *("/console/sign-in", "/console/\r\nSet-Cookie: a=b", "javascript:alert(1)"),
    )

    async def scenario(police: System) -> None:
        for wanted in elsewhere:
            form = {"account": "admin", "password": PASSWORD, "next": wanted}
            reply = await opened(police, "POST", "/sign-in", form)
            assert 'content="0; url=/console/inbox"' in reply.text, wanted

    alone(tmp_path, scenario)


def test_a_form_that_no_page_of_ours_sent_is_refused_and_journalled(tmp_path):
    async def scenario(police: System) -> None:
        host = police.url.removeprefix("https://").partition("/")[0]
        strange = (
            {},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
            {"Sec-Fetch-Site": "cross-site", "Origin": f"https://{host}"},
            {"Origin": "https://evil.example"},
            {"Origin": f"http://{host}"},
            {"Origin": "null"},
        )
        posts = [(path, "admin") for _, method, path in rows(CONSOLE) if method == "POST"]
        for path, token in [*posts, ("/sign-in", "")]:
            for headers in strange:
                reply = await opened(police, "POST", path, token=token, headers=headers)
                assert reply.status == 403, (path, headers)
                assert "not sent by a page of this console" in reply.text
        assert (await opened(police, "GET", "/inbox", token="admin")).status == 200
        found = (await police.done("GET", "/audit"))["items"]
        assert [e["detail"]["type"] for e in found if e["event"] == "refused"] == ["same-origin"]

    alone(tmp_path, scenario)


def test_a_form_of_ours_is_taken(tmp_path):
    async def scenario(police: System) -> None:
        host = police.url.removeprefix("https://").partition("/")[0]
        for token, headers in (("admin", SAME_ORIGIN), ("auditor", {"Origin": f"https://{host}"})):
            assert (await opened(police, "POST", "/sign-out", token=token, headers=headers)).status == 303

    alone(tmp_path, scenario)


def test_the_cookie_is_no_key_to_acm1(tmp_path):
    async def scenario(police: System) -> None:
        headers = {"Cookie": "__Host-acmx=admin"}
        async with police.http.get(f"{police.url}/session", headers=headers) as reply:
            assert reply.status == 403

    alone(tmp_path, scenario)


def test_an_identity_asserted_in_a_header_and_a_huge_log_on_are_refused(tmp_path):
    async def scenario(police: System) -> None:
        asserted = SAME_ORIGIN | {"X-3GPP-Asserted-Identity": "sip:admin@x"}
        assert (await opened(police, "GET", "/inbox", token="admin", headers=asserted)).status == 403
        huge = {"account": "admin", "password": "x" * 70_000}
        assert (await opened(police, "POST", "/sign-in", huge)).status == 413

    alone(tmp_path, scenario)


def test_a_link_from_elsewhere_is_followed_although_it_brings_no_strict_cookie(tmp_path):
    async def scenario(police: System) -> None:
        reply = await opened(
            police, "GET", "/exchanges?state=stored", headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert reply.status == 200
        assert 'content="0; url=/console/exchanges?state=stored"' in reply.text

    alone(tmp_path, scenario)


def test_the_front_door_leads_to_the_inbox(tmp_path):
    async def scenario(police: System) -> None:
        base = police.url.removesuffix("/acm1/v1")
        for path in ("/", "/console", "/console/"):
            async with police.http.get(base + path, allow_redirects=False) as reply:
                assert (reply.status, reply.headers["Location"]) == (303, "/console/inbox")

    alone(tmp_path, scenario)


async def test_what_acm1_would_not_read_is_not_taken_from_a_form(systems):
    police, fire = systems
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "stored")
    place = f"/exchanges/{accepted['id']}"
    for system, path, form in (
        (police, f"{place}/withdrawal", {"reason": "a\0b"}),
        (fire, f"{place}/question", {"text": "a\0b"}),
        (fire, f"/partners/{POLICE}/suspension", {"reason": "a\0b"}),
        (fire, "/policy", {"text": "// a\0b", "replaces": "1", "sure": "yes"}),
    ):
        page = await opened(system, "POST", path, form, token="admin")
        assert (page.status, "must not contain U+0000" in page.text) == (422, True), path
    assert (await police.exchange(accepted["id"]))["state"] == "stored"


def test_who_shares_an_mc_service_id_is_told_so_on_every_page_and_decides_nothing(tmp_path):
    async def scenario(police: System) -> None:
        other = await double(police, "other", "reviewer")
        await as_before(police)
        await police.restart()
        for account in ("reviewer", other):
            reply = await opened(police, "GET", "/inbox", token=account)
            assert (reply.status, "until an operator has chosen one" in reply.text) == (200, True)
            assert (await opened(police, "GET", "/policy", token=account)).status == 403
        assert "chosen one" not in (await opened(police, "GET", "/inbox", token="auditor")).text

    alone(tmp_path, scenario)

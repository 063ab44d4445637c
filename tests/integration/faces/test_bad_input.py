"""ACM-1 refuses bad input with a problem document that names field and rule, and stores nothing."""

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acmx.domain.messages import PROBLEM
from acmx.domain.partnership import Metadata
from acmx.faces.acm1.routes import ROUTES
from acmx.faces.body import LIMIT
from support.partner.by_hand import ByHand, pin
from support.systems.systems import FIRE, PASSWORD, POLICE, System, Two, submission, two_systems

USERS = submission()["users"]


def raw(text: str) -> bytes:
    """A submission in which `text` stands in the place of `"purpose": ...`."""
    return msgspec.json.encode(submission(purpose=None))[:-1] + b"," + text.encode() + b"}"


BODIES: dict[str, tuple[Any, str, str]] = {
    "no body": (b"", "", "is not readable JSON"),
    "malformed JSON": (b'{"kind": "server-identity",', "", "is not readable JSON"),
    "two documents": (msgspec.json.encode(submission()) * 2, "", "is not readable JSON"),
    "no object": (b"[]", "", "must be a JSON object"),
    "a duplicate member": (raw('"purpose": "a", "purpose": "b"'), "purpose", "is given twice"),
    "a duplicate member inside": (
        raw('"purpose": "a", "content": {"services": ["mcptt"], "services": ["mcdata"]}'),
        "services",
        "is given twice",
    ),
    "an unknown member": (submission(colour="red"), "", "unknown field `colour`"),
    "an unknown member inside": (
        submission(content={"colour": "red"}),
        "content",
        "unknown field `colour`",
    ),
    "a missing member": (submission(purpose=None), "", "missing required field `purpose`"),
    "a wrong type": (submission(purpose=5), "purpose", "expected `str`, got `int`"),
    "a wrong type in a list": (submission(users=[7]), "users[0]", "expected `str`, got `int`"),
    "an unknown value": (submission(urgency="panic"), "urgency", "invalid enum value 'panic'"),
    "no time": (submission(expires_at="soon"), "expires_at", "invalid RFC3339 encoded datetime"),
    "a time without offset": (submission(expires_at="2026-11-30T08:00:00"), "expires_at", "timezone"),
    "a time in the past": (
        submission(expires_at="2026-11-23T07:59:59Z"),
        "expires_at",
        "must be in the future",
    ),
    **{
        f"{name} beyond the calendar, {value[:4]}": (
            submission(**{name: value}),
            name,
            "must be from 1970 to 9998",
        )
        for name in ("expires_at", "valid_from", "valid_until")
        for value in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00")
    },
    "a time too far ahead": (
        submission(expires_at="2028-11-23T08:00:00Z"),
        "expires_at",
        "must be at most 366 days ahead",
    ),
    "an end before the beginning": (
        submission(valid_from="2026-12-02T00:00:00Z", valid_until="2026-12-01T00:00:00Z"),
        "valid_until",
        "must be after the beginning",
    ),
    "deep nesting": (raw('"purpose": "a", "content": ' + "[" * 90_000 + "]" * 90_000), "", "readable"),
    "deep objects": (
        raw('"purpose": "a", "content": ' + '{"a":' * 90_000 + "1" + "}" * 90_000),
        "",
        "readable",
    ),
    "a number of 5,000 digits": (raw('"purpose": ' + "9" * 5000), "", "is not readable JSON"),
    "not a number": (raw('"purpose": NaN'), "", "is not readable JSON"),
    "invalid UTF-8": (raw('"purpose": "') + b'\xc3\x28"}', "", "is not readable JSON"),
    "U+0000": (raw(r'"purpose": "a\u0000b"'), "", "must not contain U+0000"),
    "U+0000 in a name": (raw(r'"pur\u0000pose": "a"'), "", "must not contain U+0000"),
    "half a surrogate pair": (raw(r'"purpose": "\ud800"'), "", "is not readable JSON"),
    "UTF-16": (msgspec.json.encode(submission()).decode().encode("utf-16"), "", "is not readable JSON"),
    "a control character": (submission(purpose="a\u202eb"), "purpose", "must not contain control characters"),
    "an empty purpose": (submission(purpose=""), "purpose", "length >= 1"),
    "an empty list": (submission(users=[]), "users", "must name at least one user"),
    "no SIP URI": (submission(users=["officer.1"]), "users[0]", "must begin with sip: or sips: or tel:"),
    "a web address": (submission(users=["https://a.example"]), "users[0]", "must begin with sip:"),
    "a short telephone number": (submission(users=["tel:+1"]), "users[0]", ""),
    "a duplicate user": (submission(users=[*USERS, USERS[0]]), "users[2]", ""),
    "a duplicate user in another spelling": (
        submission(users=[USERS[0], USERS[0].replace(POLICE, POLICE.upper())]),
        "users[1]",
        "",
    ),
    "more than 10,000 users": (
        submission(users=[f"sip:o{n}@{POLICE}" for n in range(10_001)]),
        "users",
        "must name at most 10,000 users",
    ),
    "no addressee": (
        submission(addressee={}),
        "addressee",
        "must be an MC service ID, a functional alias, or both",
    ),
    "an addressee that is none": (
        submission(addressee={"mc_service_id": "sip:nobody", "functional_alias": f"sip:b@{FIRE}"}),
        "addressee.mc_service_id",
        "",
    ),
    "an alias that names many": (
        submission(addressee={"mc_service_id": f"sip:a@{FIRE}", "functional_alias": f"sip:%23%23%23@{FIRE}"}),
        "addressee.functional_alias",
        "must not contain the wildcard",
    ),
    "a service twice": (
        submission(content={"services": ["mcptt", "mcptt"]}),
        "content.services",
        "must name each wanted service once",
    ),
    "an unknown partner": (
        submission(partner="mc.nobody.example"),
        "partner",
        "is not a known partner MC system",
    ),
}


async def refused(police: System, status: int, type_: str, call: Any) -> Any:
    """The problem document, once it is certain that nothing was stored."""
    before = await police.counts()
    found, problem = await call
    assert (found, problem.get("type")) == (status, PROBLEM + type_), problem
    assert problem["title"]
    assert problem["status"] == status
    assert await police.counts() == before == {"exchange": 0, "message": 0, "outbox": 0, "idempotency": 0}
    return problem


def post(police: System, document: Any, key: str = "key") -> Any:
    return police.call("POST", "/requests", document, **{"Idempotency-Key": key})


@pytest.mark.step(1)
async def test_a_bad_document_is_refused_with_field_and_rule_and_nothing_is_stored(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        for name, (document, field, rule) in BODIES.items():
            problem = await refused(police, 422, "invalid-input", post(police, document))
            fault = problem["faults"][0]
            assert fault["field"] == field, (name, fault)
            assert rule in fault["rule"], (name, fault)
            assert problem["faults_total"] >= 1


async def test_every_fault_is_counted_and_a_hundred_are_named(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        document = submission(users=[f"officer.{n}" for n in range(10_000)])
        problem = await refused(police, 422, "invalid-input", post(police, document))
        assert (len(problem["faults"]), problem["faults_total"]) == (100, 10_000)
        assert problem["faults"][99]["field"] == "users[99]"


async def more_than_8_mib() -> AsyncIterator[bytes]:
    for _ in range(LIMIT // 65_536 + 1):
        yield b" " * 65_536


def test_a_body_above_8_mib_is_refused_whether_its_length_is_declared_or_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, _):
            await police.start()
            await refused(police, 413, "too-large", post(police, b" " * (LIMIT + 1)))
            await refused(police, 413, "too-large", chunked(police))
            _, accepted = await post(police, msgspec.json.encode(submission()).ljust(LIMIT))
            assert accepted["state"] == "queued"

    async def chunked(police: System) -> tuple[int, Any]:
        headers = {"Authorization": "Bearer admin", "Idempotency-Key": "key"}
        async with police.http.post(
            f"{police.url}/requests", data=more_than_8_mib(), headers=headers
        ) as reply:
            return reply.status, await reply.json(content_type="application/problem+json")

    asyncio.run(scenario())


@pytest.mark.step(1)
async def test_a_kind_that_nobody_or_the_partner_does_not_support_is_refused(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        published = msgspec.json.decode(fire.own.metadata, type=Metadata)
        await pin(police, msgspec.json.encode(msgspec.structs.replace(published, kinds=())))
        await police.start()
        for kind in ("server-identity", "group-identity"):
            problem = await refused(police, 422, "unsupported-kind", police.submit(kind=kind))
            assert repr(kind) in problem["detail"]


@pytest.mark.step(1)
async def test_a_partner_that_is_not_established_is_not_asked(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        await police.done("POST", f"/partners/{FIRE}/suspension", {})
        problem = await refused(police, 403, "not-established", police.submit())
        assert problem["detail"] == f"{FIRE}: suspended here, accepted there"


@pytest.mark.parametrize("key", [None, "", "x" * 256, "schl\u00fcssel"])
async def test_a_request_needs_an_idempotency_key_of_printable_characters(
    key: str | None, tmp_path: Path
) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        headers = {} if key is None else {"Idempotency-Key": key}
        call = police.call("POST", "/requests", submission(), **headers)
        problem = await refused(police, 422, "invalid-input", call)
        assert problem["faults"][0]["field"] == "Idempotency-Key"


NUMBERS = [
    *(("limit", bad) for bad in ("1001", "-1", "x", "", "\u0663")),
    *(("after", bad) for bad in ("x", "9" * 5000)),
]


@pytest.mark.law(13)
async def test_a_page_is_asked_for_by_numbers_within_limits(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        for path, (name, value) in product(("/requests", "/pending", "/audit"), NUMBERS):
            call = police.call("GET", f"{path}?{name}={value}")
            problem = await refused(police, 422, "invalid-input", call)
            assert problem["faults"][0]["field"] == name


async def test_a_review_that_names_no_versions_is_refused(systems: Two) -> None:
    police, fire = systems
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "stored")
    for seen in ("1", "one.two", "9" * 5000 + ".1"):
        status, problem = await fire.review(accepted["id"], seen=seen)
        assert status in (412, 422), problem
    assert (await fire.exchange(accepted["id"]))["state"] == "pending"


async def test_an_asserted_identity_is_refused_and_audited(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        headers = {"X-3GPP-Asserted-Identity": f'"sip:requester@{POLICE}"'}
        for method, path in (("GET", "/requests"), ("POST", "/sessions"), ("GET", "/notifications")):
            call = police.call(method, path, **headers)
            await refused(police, 403, "asserted-identity", call)
        assert len(await audited(police, "asserted-identity")) == 1


@pytest.mark.law(10)
async def test_without_a_token_nobody_is_known_and_with_a_bad_one_the_caller_is_asked_for_another(
    tmp_path: Path,
) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        for path in ("/requests", "/pending", "/notifications"):
            await refused(police, 403, "no-identity", police.call("GET", path, account=None))
            await refused(police, 401, "not-authenticated", police.call("GET", path, account="stolen"))
            headers = {"Authorization": "Bearer stolen"}
            async with police.http.get(police.url + path, headers=headers) as reply:
                assert reply.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        basic = police.call("GET", "/requests", account=None, Authorization="Basic YWRtaW4=")
        await refused(police, 403, "no-identity", basic)
        assert len(await audited(police, "no-identity")) == 1
        assert len(await audited(police, "not-authenticated")) == 1


async def audited(system: System, type_: str) -> list[Any]:
    entries = (await system.done("GET", "/audit"))["items"]
    return [e for e in entries if e["event"] == "refused" and e["detail"]["type"] == type_]


async def test_a_token_ends_with_its_session(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        session = await police.done("POST", "/sessions", {"account": "admin", "password": PASSWORD})
        assert (await police.call("GET", "/pending", account=session["token"]))[0] == 200
        police.clock.advance(hours=12)
        assert (await police.call("GET", "/pending", account=session["token"]))[0] == 401


async def test_what_no_route_serves_is_a_problem_too(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        await refused(police, 404, "not-found", police.call("GET", "/no/such/thing"))
        await refused(police, 404, "not-found", police.call("GET", "/requests/no-such-exchange"))
        await refused(police, 405, "wrong-method", police.call("PUT", "/requests"))


async def test_nothing_is_asked_of_the_database_that_it_cannot_take(systems: Two) -> None:
    """PostgreSQL has no U+0000 in its texts, and no number of more than 64 bits."""

    police, fire = systems
    await police.submit()
    for row, query in product(ROUTES, ("", "?after=%00&state=%00", f"?after={2**64}&before={2**64}")):
        for name in ("%00", "a%00b") if "{" in row.path else ("",):
            path = re.sub(r"\{[^}]*\}", name, row.path) + query
            status, _ = await police.call(row.method, path, None if row.method == "GET" else {})
            assert status < 500, f"{row.method} {path}"
            if "%00" in path:
                assert status == 404
    async with ByHand.of(fire).connected(police) as http:
        for path in ("exchanges/%00/00000000-0000-7000-8000-000000000000/messages/primary/1",
                     "exchanges?since=2026-01-01T00:00:00Z&after=%00"):  # fmt: skip
            async with http.get(f"{police.acm2}/{path}") as reply:
                assert reply.status == 404

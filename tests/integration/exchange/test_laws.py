"""Laws that no other test shows by itself: 5 on the partner's own address, 9 and 10 across both systems."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.responses import Response

from acmx.domain.messages import PROBLEM
from acmx.faces.acm1.routes import ROUTES
from acmx.trust.keys import SigningKey
from acmx.trust.own import Own
from support.partner.by_hand import ByHand
from support.systems.systems import FIRE, System, Two, eventually, two_systems

Heard = tuple[str, bytes, str]


def by_a_key_of_nobody(fire: ByHand, heard: Heard) -> Response:
    honest = fire.own
    fire.own = Own(honest.system, SigningKey.generate(), honest.metadata)
    try:
        return fire.receipt(heard)
    finally:
        fire.own = honest


def about_another_body(fire: ByHand, heard: Heard) -> Response:
    path, body, seal = heard
    return fire.receipt((path, body.replace(b"flood", b"fires"), seal))


def about_another_message(fire: ByHand, heard: Heard) -> Response:
    path, body, seal = heard
    return fire.receipt((path.removesuffix("1") + "2", body, seal))


def for_a_reason_of_its_own(fire: ByHand, heard: Heard) -> Response:
    return fire.refusal(heard, "do-not-like-you", final=True)


def with_other_bytes(fire: ByHand, heard: Heard) -> Response:
    honest = fire.receipt(heard)
    return Response(bytes(honest.body) + b" ", headers=honest.headers)


def as_a_page_for_people(fire: ByHand, heard: Heard) -> Response:
    return Response("<h1>Bad gateway</h1>", 502, media_type="text/html")


def as_a_way_elsewhere(fire: ByHand, heard: Heard) -> Response:
    return Response(status_code=308, headers={"Location": "https://elsewhere.example/"})


ANSWERS: list[Callable[[ByHand, Heard], Response]] = [
    by_a_key_of_nobody,
    about_another_body,
    about_another_message,
    for_a_reason_of_its_own,
    with_other_bytes,
    as_a_page_for_people,
    as_a_way_elsewhere,
]


@pytest.mark.law(5)
@pytest.mark.step(3)
@pytest.mark.parametrize("answered", ANSWERS)
async def test_an_answer_that_is_not_the_partner_s_word_ends_nothing(
    answered: Callable[[ByHand, Heard], Response], tmp_path: Path
) -> None:
    """Somebody answers at the partner's address; then the partner itself is back, and the exchange goes on."""

    async with two_systems(tmp_path, start=False) as (police, fire):
        stand_in = ByHand.of(fire)

        async def answer(heard: Heard) -> Response:
            return answered(stand_in, heard)

        async with stand_in.serving(police, answer):
            await police.start()
            _, accepted = await police.submit()
            id_ = accepted["id"]
            link = await eventually(
                lambda: police.done("GET", f"/partners/{FIRE}"), lambda link: link.get("last_error")
            )
            exchange = await police.exchange(id_)
            assert (exchange["state"], link["waiting"]) == ("queued", 1)
            assert exchange["waiting"][0]["attempts"] >= 1
            assert "next_attempt_at" in link
        await fire.start()
        await again(police)
        await police.reaches(id_, "stored")
        await fire.review(id_)
        await police.reaches(id_, "answered")


async def again(system: System) -> None:
    system.clock.advance(minutes=1)
    await system.nudge(FIRE)


@pytest.mark.law(9)
async def test_nothing_that_can_be_got_decides_or_changes_an_exchange(systems: Two) -> None:
    police, fire = systems
    _, accepted = await police.submit()
    id_ = accepted["id"]
    await police.reaches(id_, "stored")
    before = await fire.rows("SELECT * FROM exchange")
    names = {"id": id_, "name": "admin", "version": "1"}
    for path in sorted({row.path for row in ROUTES}):
        link = re.sub(r"{(\w+)}", lambda found: names[found[1]], path)
        for account in ("reviewer", "admin"):
            await fire.call("GET", link, account=account)
            await fire.call("GET", f"{link}?approved=true&reason=link&seen=1.1", account=account)
    assert await fire.rows("SELECT * FROM exchange") == before
    assert (await fire.review(id_))[0] == 200
    assert await fire.rows("SELECT * FROM exchange") != before


DECLINES = """
@id("internal-name-of-the-rule")
permit (principal, action == Action::"decline", resource) when { context.users < 100 };
"""


@pytest.mark.law(10)
@pytest.mark.step(6, 13)
async def test_the_partner_learns_outcome_reason_and_handler_but_never_the_rule(systems: Two) -> None:
    police, fire = systems
    await fire.done("PUT", "/policy", {"text": DECLINES})
    _, accepted = await police.submit()
    id_ = accepted["id"]
    await police.reaches(id_, "answered")
    here = await fire.reaches(id_, "delivered")
    assert "internal-name-of-the-rule" in str(here["journal"])
    [[body]] = await police.rows("SELECT body FROM message WHERE type = 'response'")
    said = msgspec.json.decode(body)
    assert (said["outcome"], said["reason"], said["handler"]) == (
        "declined",
        "declined by policy",
        {"by": "policy"},
    )
    crossed = await police.rows("SELECT body, reply FROM message")
    assert b"internal-name" not in b"".join(part or b"" for row in crossed for part in row)


@pytest.mark.law(10)
@pytest.mark.step(2)
async def test_a_refusal_at_home_says_which_rule_and_is_audited(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        for n, (account, changes, rule) in enumerate(
            [
                ("auditor", {}, "role:submit"),
                ("requester", {"users": [f"sip:somebody@{FIRE}"]}, "own-users"),
            ]
        ):
            status, problem = await police.submit(f"key-{n}", account=account, **changes)
            assert (status, problem["type"], problem["rule"]) == (403, PROBLEM + "not-allowed", rule)
            audit: list[Any] = (await police.done("GET", "/audit"))["items"]
            [row] = [row for row in audit if row.get("exchange") == problem["exchange"]]
            assert (row["event"], row["detail"]["rule"]) == ("not-authorised", rule)

"""Steps 11 and 12: what a reviewer says of every user of a request."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acmx.domain.acm1 import Review, VerdictInput
from acmx.domain.errors import FaultyInput
from acmx.domain.messages import Automatic, Person, Request, Response, Verdict
from acmx.flows.exchange import approvals, review
from acmx.flows.exchange.grant import Standing
from acmx.flows.exchange.response import expired, outcome_of
from acmx.trust.roles import Caller

NOW = datetime(2026, 11, 23, tzinfo=UTC)
USERS = tuple(f"sip:officer.{n}@mc.metro-police.example" for n in range(5))
YES, NO = True, False
pytestmark = pytest.mark.step(11)


def request(users: tuple[str, ...] = USERS) -> Request:
    return Request(
        version="1.0",
        exchange="01890000-0000-7000-8000-000000000001",
        n=1,
        sender="mc.metro-police.example",
        receiver="mc.county-fire.example",
        created_at=NOW,
        kind="server-identity",
        asker=Person("sip:chief@mc.metro-police.example"),
        expires_at=NOW,
        users=users,
        purpose="flood",
    )


def reviewed(*verdicts: tuple[bool, Any], reason: str = "as agreed") -> tuple[Verdict, ...]:
    given = tuple(VerdictInput(approved, users) for approved, users in verdicts)
    return review._verdicts(request(), Review(given, reason, "1.1"))


def refused(*verdicts: tuple[bool, Any], reason: str = "as agreed") -> list[str]:
    with pytest.raises(FaultyInput) as faulty:
        reviewed(*verdicts, reason=reason)
    return [fault.rule for fault in faulty.value.faults]


def test_one_verdict_may_stand_for_everybody() -> None:
    assert reviewed((YES, None)) == (Verdict(YES, USERS, "as agreed"),)
    assert reviewed((NO, None)) == (Verdict(NO, USERS, "as agreed"),)


def test_one_verdict_names_some_and_the_other_stands_for_the_rest_in_their_order() -> None:
    some, rest = (USERS[3], USERS[1]), (USERS[0], USERS[2], USERS[4])
    assert reviewed((YES, some), (NO, None)) == (
        Verdict(YES, some, "as agreed"),
        Verdict(NO, rest, "as agreed"),
    )
    assert reviewed((YES, None), (NO, some))[0].users == rest


def test_a_verdict_that_stands_for_nobody_is_left_out() -> None:
    assert reviewed((YES, USERS), (NO, None)) == (Verdict(YES, USERS, "as agreed"),)


@pytest.mark.parametrize(
    ("verdicts", "rule"),
    [
        ([], "and others are neither approved nor declined"),
        ([(YES, USERS[:2])], "and others are neither approved nor declined"),
        ([(YES, ("sip:stranger@x.example",)), (NO, None)], "is not in the request"),
        ([(YES, USERS[:2]), (NO, USERS[1:])], "must name each user once"),
        ([(YES, (USERS[0], USERS[0])), (NO, None)], "must name each user once"),
        ([(YES, None), (NO, None)], "only one verdict may stand for all the rest"),
        ([(YES, USERS[:1]), (NO, USERS[1:2]), (NO, None)], "must be one, or one of each"),
    ],
)
def test_a_review_speaks_of_every_user_exactly_once(verdicts: list[Any], rule: str) -> None:
    assert rule in refused(*verdicts)


def test_a_reason_is_text() -> None:
    assert refused((YES, None), reason="ring\x07") == ["must not contain control characters"]


@given(approved=st.sets(st.sampled_from(USERS)), given_first=st.booleans())
def test_however_it_is_said_every_user_is_decided_once(approved: set[str], given_first: bool) -> None:
    some = tuple(sorted(approved))
    said = [(YES, some), (NO, None)] if given_first else [(NO, None), (YES, some)]
    verdicts = reviewed(*said)
    assert sorted(user for verdict in verdicts for user in verdict.users) == sorted(USERS)
    assert {user for v in verdicts if v.approved for user in v.users} == approved


@given(approved=st.sets(st.sampled_from(USERS)))
def test_the_outcome_follows_from_the_verdicts(approved: set[str]) -> None:
    outcome = outcome_of(reviewed((YES, tuple(approved)), (NO, None)))
    expected = {0: "declined", len(USERS): "approved"}
    assert outcome == expected.get(len(approved), "partly-approved")


def test_nobody_is_approved_by_expiry() -> None:
    decided = expired(request())
    assert (decided.outcome, decided.granted) == ("expired", False)
    assert decided.verdicts == (Verdict(NO, USERS),)


@pytest.mark.law(4)
def test_the_same_review_is_known_by_person_verdicts_and_reason_whatever_its_form() -> None:
    one, other = (Caller(name, f"sip:{name}@x.example", (), (), 0) for name in ("one", "other"))
    said = reviewed((YES, USERS[:2]), (NO, None))
    same = reviewed((NO, tuple(reversed(USERS[2:]))), (YES, None))
    assert approvals.digest(one, said, "r") == approvals.digest(one, same, "r")
    different = {
        approvals.digest(other, said, "r"),
        approvals.digest(one, said, "s"),
        approvals.digest(one, reviewed((YES, None)), "r"),
    }
    assert len(different | {approvals.digest(one, said, "r")}) == 4


class Counted(str):
    """An identity that counts how often it is looked at."""

    __slots__ = ()
    looks = 0

    def __hash__(self) -> int:
        Counted.looks += 1
        return str.__hash__(self)

    def __eq__(self, other: object) -> bool:
        Counted.looks += 1
        return str.__eq__(self, other)


def many(count: int) -> tuple[str, ...]:
    Counted.looks = 0
    return tuple(Counted(f"sip:officer.{n}@mc.metro-police.example") for n in range(count))


def test_many_users_are_each_looked_at_a_few_times() -> None:
    users = many(1000)
    found = review._verdicts(
        request(users), Review((VerdictInput(YES, users[:500]), VerdictInput(NO)), "as agreed", "1.1")
    )
    assert [len(verdict.users) for verdict in found] == [500, 500]
    assert Counted.looks < 20 * len(users)


def test_whoever_stays_after_a_revocation_is_counted_with_a_few_looks() -> None:
    users = many(1000)
    response = Response(
        **{name: getattr(request(), name) for name in ("version", "exchange", "n", "sender", "receiver")},
        created_at=NOW,
        answers="",
        asker=Person("sip:chief@mc.metro-police.example"),
        outcome="approved",
        handler=Automatic(),
        decided_at=NOW,
        verdicts=(Verdict(YES, users),),
    )
    stands = Standing(None, response, {}, frozenset(), "", None, (), ())
    assert stands.left_without(users[::2]) == 500
    assert Counted.looks < 20 * len(users)

"""Every way in which one exchange can go between two servers over the worst link there is: the laws hold.

After a restore, without a comparison of the two sides, laws 5 and 7 hold, and law 3 as long as the partner system
was not the one restored. Laws 2 and 4 and the agreement of both sides need the comparison: `Model.compares` is its
place.
"""

from collections.abc import Iterator

import pytest

from acmx.domain.exchange import Event, Role, State, Transition, transition
from search import EVERY_LAW, Act, Body, Bounds, Broken, Model, Side, Table, World, search

E, S = Event, State
AFTER_RESTORE: dict[Role, frozenset[int | str]] = {
    "primary": frozenset({3, 5, 7}),
    "partner": frozenset({5, 7}),
}


@pytest.mark.law(2, 3, 4, 5, 7)
def test_every_law_holds_and_both_sides_come_to_agree() -> None:
    assert search(Model(Bounds(questions=2))) > 2000


@pytest.mark.law(3, 5, 7)
@pytest.mark.parametrize("role", AFTER_RESTORE)
def test_what_holds_after_a_restore_without_a_comparison(role: Role) -> None:
    assert search(Model(Bounds(questions=0, restored=(role,)), laws=AFTER_RESTORE[role])) > 2000


@pytest.mark.parametrize("role", AFTER_RESTORE)
@pytest.mark.parametrize("law", sorted(EVERY_LAW - {3, 5, 7}, key=str))
def test_what_needs_the_comparison_after_a_restore(role: Role, law: int | str) -> None:
    with pytest.raises(Broken):
        search(Model(Bounds(questions=0, restored=(role,)), laws=frozenset({law})))


# The search finds what is wrong.


def changed(role: Role, source: State, event: Event, row: Transition | None) -> Table:
    """The table with another row, or none, at this place."""

    def look(role_: Role, state: State | None, event_: Event) -> Transition | None:
        at = (role_, state, event_)
        return row if at == (role, source, event) else transition(*at)

    return look


@pytest.mark.parametrize(
    ("role", "source", "event", "law"),
    [
        ("partner", S.DELIVERED, E.WITHDRAWAL, "agreement"),
        ("partner", S.DELIVERED, E.ANSWER, "agreement"),
        ("partner", S.MORE_INFORMATION, E.ANSWER, "agreement"),
        ("partner", S.MORE_INFORMATION, E.EARLIER_ANSWER, "agreement"),
        ("primary", S.WITHDRAWING, E.QUESTION, "agreement"),
        ("primary", S.OVERDUE, E.RESPONSE, "agreement"),
        ("primary", S.STORED, E.INDICATED, 4),
        ("primary", S.ANSWERED, E.INDICATED, 4),
        ("primary", S.ANSWERED, E.WITHDRAWAL_TOO_LATE, 4),
    ],
)
def test_a_row_that_is_missing_is_found(role: Role, source: State, event: Event, law: int | str) -> None:
    with pytest.raises(Broken) as found:
        search(Model(Bounds(questions=2), changed(role, source, event, None)))
    assert found.value.law == law


@pytest.mark.parametrize(
    ("row", "law"),
    [
        (Transition("partner", S.DECIDED, E.REVIEWED, S.DECIDED, (), ("reviewers",)), 4),
        (Transition("partner", S.DECIDED, E.EXPIRED, S.DECIDED, (), ("reviewers",)), 4),
        (Transition("partner", S.DECIDED, E.WITHDRAWAL, S.WITHDRAWN, (), ("reviewers",)), 4),
        (Transition("partner", S.WITHDRAWN, E.ANSWER, S.PENDING, (), ("reviewers",)), "agreement"),
        (Transition("primary", S.OVERDUE, E.INDICATED, S.STORED), 4),
        (Transition("primary", S.MORE_INFORMATION, E.INDICATED, S.STORED), 4),
        (Transition("primary", S.WITHDRAWING, E.WITHDRAWAL_TOO_LATE, S.STORED), 4),
        (Transition("primary", S.WITHDRAWING, E.RESPONSE, S.ANSWERED), 7),
        (Transition("primary", S.STORED, E.EXPIRED, S.OVERDUE), 7),
        (Transition("partner", S.PENDING, E.EXPIRED, S.DECIDED), 7),
        (Transition("partner", S.PENDING, E.WITHDRAWAL, S.WITHDRAWN), 7),
    ],
    ids=str,
)
def test_a_row_that_is_wrong_is_found(row: Transition, law: int | str) -> None:
    assert row.source is not None
    with pytest.raises(Broken) as found:
        search(Model(Bounds(), changed(row.role, row.source, row.event, row)))
    assert found.value.law == law


class EndsOnAnError(Model):
    """Takes a proxy's 404 for the partner's word."""

    def posts(self, world: World, role: Role) -> Iterator[Act]:
        yield from super().posts(world, role)
        side = world.side(role)
        if side.waiting:
            gone = side._replace(waiting=side.waiting - {min(side.waiting)})
            yield Act("a proxy answers 404", world.with_(gone), link=True)


class JudgesAgain(Model):
    """Keeps no final refusal."""

    def keep(self, side: Side, body: Body, reply: str) -> Side:
        return side if reply.startswith("final") else super().keep(side, body, reply)


class MintsAgain(Model):
    """Makes a new body for each attempt."""

    def posts(self, world: World, role: Role) -> Iterator[Act]:
        yield from super().posts(world, role)
        side = world.side(role)
        if 1 in side.waiting and side.tried:
            fresh = side.sent[0]._replace(text="again")
            yield from super().posts(world.with_(side._replace(sent=(fresh, *side.sent[1:]))), role)


class ForgetsWhatCame(Model):
    """Never finds the message before."""

    def in_order(self, side: Side, letter: Body) -> bool:
        del side, letter
        return False


@pytest.mark.parametrize(
    ("model", "law"), [(EndsOnAnError, 5), (JudgesAgain, 3), (MintsAgain, 2), (ForgetsWhatCame, "agreement")]
)
def test_a_flow_that_is_wrong_is_found(model: type[Model], law: int | str) -> None:
    with pytest.raises(Broken) as found:
        search(model(Bounds()))
    assert found.value.law == law


def test_what_is_broken_is_told_with_the_shortest_way_there() -> None:
    again = Transition("partner", S.DECIDED, E.REVIEWED, S.DECIDED, (), ("reviewers",))
    with pytest.raises(Broken) as found:
        search(Model(Bounds(), changed("partner", S.DECIDED, E.REVIEWED, again)))
    assert [line.rstrip() for line in str(found.value).splitlines()] == [
        "law 4 is broken: approved is decided after approved",
        "  1 A: the asker submits                               A queued, B -",
        "  2 A: sends request 1                                 A queued, B -",
        "  3 B: takes request 1, says stored                    A queued, B decided",
    ]

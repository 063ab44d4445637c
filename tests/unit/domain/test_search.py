"""Every way in which one exchange can go between two servers over the worst link there is: the laws hold.

After a restore, without a comparison of the two sides, laws 5 and 7 hold, and law 3 as long as the partner system
was not the one restored. With the comparison both sides also come to agree, hold one body at a place and one outcome,
whichever side was restored, or both (docs/decisions/0009-reconciliation.md).
"""

from collections.abc import Iterator

import pytest

from acmx.domain.exchange import UNANSWERED, Event, Role, State, Transition, transition
from search.breadth_first import search
from search.link import FOREIGN
from search.model import Model
from search.worlds import AT_REST, EVERY_LAW, Act, Body, Bounds, Broken, Side, Table, Word, World

E, S = Event, State
WITHOUT_COMPARISON: dict[Role, frozenset[int | str]] = {
    "primary": frozenset({3, 5, 7}),
    "partner": frozenset({5, 7}),
}
AFTER_RESTORE = AT_REST | {3, 5, 7}
COMPARED: dict[Role, Bounds] = {
    "primary": Bounds(questions=0, restored=("primary",), compared=True),
    "partner": Bounds(questions=0, restored=("partner",), compared=True),
}
ASKED = {role: bounds._replace(questions=1, expiry=False) for role, bounds in COMPARED.items()}
BOTH = COMPARED["partner"]._replace(expiry=False, restored=("primary", "partner"))
ONLY_ASKED = ASKED["partner"]._replace(withdrawal=False, refusal=False)
GRANTED = Bounds(questions=0, withdrawal=False, refusal=False, expiry=False, updates=1, revocation=True)
"""What the partner gives changes, and is taken back."""
GRANTED_AFTER_RESTORE = {
    "A": GRANTED._replace(restored=("primary",), compared=True),
    "B": GRANTED._replace(restored=("partner",), compared=True),
}

ASKED_AND_REVOKED = GRANTED_AFTER_RESTORE["B"]._replace(questions=1, updates=0)
NOBODY_TAKES_BACK = Bounds(questions=0, withdrawal=False, refusal=False, compared=True)
LYING = {
    f"{restored} restored, {lies} lies": NOBODY_TAKES_BACK._replace(
        expiry=(restored, lies) == ("primary", "partner"), restored=(restored,), lies=(lies,)
    )
    for restored in COMPARED
    for lies in COMPARED
}


@pytest.mark.law(2, 3, 4, 5, 7)
def test_every_law_holds_and_both_sides_come_to_agree() -> None:
    assert search(Model(Bounds(questions=2))) > 2000


@pytest.mark.law(2, 3, 4, 5, 7)
def test_every_law_holds_where_a_request_may_wait_to_be_released() -> None:
    assert search(Model(Bounds(questions=1, release=True))) > search(Model(Bounds(questions=1)))


@pytest.mark.law(2, 3, 4, 5, 7)
@pytest.mark.parametrize("role", COMPARED)
def test_with_the_comparison_a_released_request_stays_released_after_a_restore(role: Role) -> None:
    """A backup may know nothing of the release, or that it was released after all."""
    bounds = COMPARED[role]._replace(release=True)
    assert search(Model(bounds, laws=AFTER_RESTORE)) > search(Model(COMPARED[role], laws=AFTER_RESTORE))


@pytest.mark.law(3, 5, 7)
@pytest.mark.parametrize("role", COMPARED)
def test_what_holds_after_a_restore_without_a_comparison(role: Role) -> None:
    assert search(Model(Bounds(questions=0, restored=(role,)), laws=WITHOUT_COMPARISON[role])) > 2000


@pytest.mark.parametrize("role", COMPARED)
@pytest.mark.parametrize("law", sorted(EVERY_LAW - {3, 5, 7, "one standing", "first outcome"}, key=str))
def test_what_needs_the_comparison_after_a_restore(role: Role, law: int | str) -> None:
    with pytest.raises(Broken):
        search(Model(Bounds(questions=0, restored=(role,)), laws=frozenset({law})))


@pytest.mark.law(2, 3, 4, 5, 7)
@pytest.mark.parametrize(
    "bounds", [*COMPARED.values(), *ASKED.values(), BOTH], ids=["A", "B", "A-asked", "B-asked", "both"]
)
def test_with_the_comparison_both_sides_agree_after_a_restore(bounds: Bounds) -> None:
    assert search(Model(bounds, laws=AFTER_RESTORE)) > 3000


@pytest.mark.parametrize("role", COMPARED)
@pytest.mark.parametrize("law", ["agreement", "one outcome"])
def test_without_the_comparison_they_do_not(role: Role, law: int | str) -> None:
    """Two bodies at one place never come to rest without it: that breaks the agreement."""
    with pytest.raises(Broken):
        search(Model(COMPARED[role]._replace(compared=False), laws=frozenset({law})))


@pytest.mark.law(2, 3, 4, 5, 7)
@pytest.mark.parametrize(
    "bounds",
    [
        GRANTED._replace(updates=2, withdrawal=True, refusal=True, expiry=True),
        GRANTED._replace(questions=1, withdrawal=True, refusal=True, expiry=True),
    ],
)
def test_both_sides_come_to_hold_what_the_partner_gives_now(bounds: Bounds) -> None:
    assert search(Model(bounds)) > 900


@pytest.mark.law(2, 3, 4, 5, 7)
@pytest.mark.parametrize("side", GRANTED_AFTER_RESTORE)
def test_with_the_comparison_they_hold_it_after_a_restore(side: str) -> None:
    assert search(Model(GRANTED_AFTER_RESTORE[side], laws=AFTER_RESTORE)) > 6000


@pytest.mark.parametrize("side", GRANTED_AFTER_RESTORE)
def test_without_it_they_do_not(side: str) -> None:
    bounds = GRANTED_AFTER_RESTORE[side]._replace(compared=False)
    with pytest.raises(Broken):
        search(Model(bounds, laws=frozenset({"one standing"})))


@pytest.mark.law(2, 3, 4, 5, 7)
def test_a_decision_comes_before_what_changes_it_whatever_it_gave_way_to() -> None:
    assert search(Model(ASKED_AND_REVOKED, laws=AFTER_RESTORE)) > 10_000


@pytest.mark.law(2, 3, 4, 5, 7)
@pytest.mark.parametrize("bounds", LYING.values(), ids=list(LYING))
def test_both_sides_agree_after_a_clock_that_lied_and_a_restore(bounds: Bounds) -> None:
    """The backup may be older than the doubt, from within it, or put in place while the clock is wrong."""
    assert search(Model(bounds, laws=AFTER_RESTORE)) > 4000


class HearsWithdrawn(Model):
    """Fails where the partner's final `withdrawn` meets a request that the primary has not withdrawn."""

    def hears(self, world: World, word: Word) -> Iterator[Act]:
        for act in super().hears(world, word):
            if word.reply == "final: withdrawn" and world.a.state in UNANSWERED:
                raise Broken("agreement", f"withdrawn is heard while {world.a.state}")
            yield act


def test_a_request_that_was_withdrawn_is_not_sent_again_after_a_restore() -> None:
    assert search(HearsWithdrawn(COMPARED["primary"], laws=AFTER_RESTORE))
    with pytest.raises(Broken, match="withdrawn is heard"):
        search(HearsWithdrawn(COMPARED["primary"]._replace(compared=False), laws=frozenset()))


# The search finds what is wrong.


class LaterStands(Model):
    """The restored side lets the later response stand."""

    def precedes(self, side: Side, body: Body, held: Body) -> bool:
        return not super().precedes(side, body, held) if side.life else super().precedes(side, body, held)


class KeepsHolding(Model):
    """Believes its backup that a request was never released."""

    def was_released(self, side: Side) -> Side:
        return side


def test_a_release_that_is_forgotten_is_found() -> None:
    with pytest.raises(Broken):
        search(KeepsHolding(COMPARED["primary"]._replace(release=True), laws=AFTER_RESTORE))


class ForgetsItsOwn(Model):
    """Takes back only what the other side minted."""

    def put_back(self, side: Side, body: Body, *, answered: bool) -> tuple[Side, list[Body]]:
        return (side, []) if body.sender == side.role else super().put_back(side, body, answered=answered)


class MintsNothingAnew(Model):
    """What loses its place to an older message is lost."""

    def anew(self, side: Side, aside: list[Body]) -> Side:
        del aside
        return side


class RefusesFirst(Model):
    """Refuses a request finally before it has compared."""

    def takes_request(self, b: Side, letter: Body) -> Iterator[tuple[Side, str]]:
        yield from super().takes_request(b, letter)
        if b.due and b.state is None:
            yield b, FOREIGN


class TellsWhatFell(Model):
    """Goes on naming a response that a withdrawal ended."""

    def undecided(self, side: Side) -> Side:
        return side._replace(waiting=frozenset(), outcome=None)


class DoubtsTheRequest(Model):
    """Does not name a request that was answered, because it does not remember to have sent it."""

    def listed(self, side: Side) -> frozenset[Body]:
        return super().listed(side) - {body for body in side.sent if body.n in side.waiting - side.tried}


@pytest.mark.parametrize(
    ("model", "bounds"),
    [
        (LaterStands, COMPARED["partner"]),
        (ForgetsItsOwn, COMPARED["primary"]),
        (ForgetsItsOwn, COMPARED["partner"]),
        (MintsNothingAnew, ONLY_ASKED),
        (RefusesFirst, COMPARED["partner"]),
        (TellsWhatFell, BOTH._replace(refusal=False)),
        (DoubtsTheRequest, BOTH),
        (ForgetsItsOwn, GRANTED_AFTER_RESTORE["B"]),
    ],
)
def test_a_comparison_that_is_wrong_is_found(model: type[Model], bounds: Bounds) -> None:
    with pytest.raises(Broken):
        search(model(bounds, laws=AFTER_RESTORE))


class LeavesItPutOff(Model):
    """Does not release what the wrong clock has put off."""

    def released(self, side: Side) -> Side:
        return super().released(side)._replace(off=side.off)


class LeavesItDated(Model):
    """What ended by a clock that was behind stays in the past, where no comparison looks."""

    def released(self, side: Side) -> Side:
        return super().released(side)._replace(ended=side.ended)


class LyingClockDecides(Model):
    """Without the exception that protocol 1 needs."""

    def honest(self, *responses: Body) -> bool:
        del responses
        return True


@pytest.mark.parametrize(
    ("model", "bounds", "law"),
    [
        (LeavesItPutOff, LYING["primary restored, primary lies"], "agreement"),
        (LeavesItDated, LYING["primary restored, partner lies"], "agreement"),
        (LyingClockDecides, LYING["partner restored, partner lies"], "first outcome"),
    ],
)
def test_what_a_clock_that_lied_leaves_behind_is_found(
    model: type[Model], bounds: Bounds, law: int | str
) -> None:
    with pytest.raises(Broken) as found:
        search(model(bounds, laws=AFTER_RESTORE))
    assert found.value.law == law


class ReplacesWhatLeft(Model):
    """An update makes room for the next one though it was sent."""

    def updates(self, b: Side, text: str) -> Side:
        last = max(b.sent, key=lambda body: body.n)
        return self.mint(self.without(b, last) if last.type == "update" else b, "update", text)


def test_an_update_that_is_replaced_though_it_was_sent_is_found() -> None:
    with pytest.raises(Broken) as found:
        search(ReplacesWhatLeft(GRANTED._replace(updates=2)))
    assert found.value.law == 2


@pytest.mark.parametrize("source", [S.ANSWERED, S.RETRIEVED])
@pytest.mark.parametrize("event", [E.UPDATE, E.REVOCATION])
def test_an_update_or_revocation_that_is_not_taken_is_found(source: State, event: Event) -> None:
    with pytest.raises(Broken) as found:
        search(Model(GRANTED, changed("primary", source, event, None)))
    assert found.value.law == "agreement"


def changed(role: Role, source: State, event: Event, row: Transition | None) -> Table:
    """The table with another row, or none, at this place."""

    def look(role_: Role, state: State | None, event_: Event) -> Transition | None:
        at = (role_, state, event_)
        return row if at == (role, source, event) else transition(*at)

    return look


@pytest.mark.parametrize(
    ("source", "event", "bounds"),
    [
        (S.WITHDRAWING, E.WITHDRAWAL_STANDS, COMPARED["partner"]),
        (S.STORED, E.REFUSED_BY_PARTNER, COMPARED["partner"]),
        (S.MORE_INFORMATION, E.REFUSED_BY_PARTNER, ASKED["partner"]._replace(withdrawal=False)),
    ],
)
def test_a_row_that_a_restore_needs_and_that_is_missing_is_found(
    source: State, event: Event, bounds: Bounds
) -> None:
    with pytest.raises(Broken):
        search(Model(bounds, changed("primary", source, event, None), laws=AFTER_RESTORE))


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
        (Transition("primary", S.AWAITING_RELEASE, E.EXPIRED, S.REFUSED_HERE), 7),
        (Transition("primary", S.AWAITING_RELEASE, E.WITHDRAWN_UNSENT, S.WITHDRAWN), 7),
        (Transition("primary", S.AWAITING_RELEASE, E.NOT_RELEASED, S.REFUSED_HERE), 7),
        (Transition("primary", S.AWAITING_RELEASE, E.EXPIRED, S.OVERDUE, (), ("asker",)), "agreement"),
    ],
    ids=str,
)
def test_a_row_that_is_wrong_is_found(row: Transition, law: int | str) -> None:
    assert row.source is not None
    with pytest.raises(Broken) as found:
        search(Model(Bounds(release=True), changed(row.role, row.source, row.event, row)))
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

"""The table of transitions, as a table: what holds of every row of it."""

import pytest

from acmx.domain.exchange import STEPS_OF, TABLE, UNDECIDED, Event, Role, State, transition

ROLES: tuple[Role, ...] = ("primary", "partner")
ROWS = [pytest.param(row, id=f"{row.role}-{row.source}-{row.event}") for row in TABLE]
ENDED = {
    "primary": {
        State.REFUSED_HERE,
        State.REFUSED_BY_PARTNER,
        State.WITHDRAWN,
        State.ANSWERED,
        State.RETRIEVED,
    },
    "partner": {State.DECIDED, State.DELIVERED, State.WITHDRAWN},
}
ACKNOWLEDGED = [
    Event.INDICATED,
    Event.WITHDRAWAL_CONFIRMED,
    Event.WITHDRAWAL_TOO_LATE,
    Event.RESPONSE_DELIVERED,
    Event.RESPONSE_REFUSED,
]


BY_COMPARISON = {Event.RESTORED, Event.RECONCILED, Event.CONTRADICTED, Event.WITHDRAWAL_STANDS}
"""What happens only after a restore from a backup; everything else holds of the other rows."""
ORDINARY = [row for row in TABLE if row.event not in BY_COMPARISON]


def reached(role: Role, state: State | None) -> set[State]:
    """Every state that can follow, however late."""
    found: set[State] = set()
    waiting = [state]
    while waiting:
        source = waiting.pop()
        following = {row.target for row in ORDINARY if (row.role, row.source) == (role, source)} - found
        found |= following
        waiting.extend(following)
    return found


def states_of(role: Role) -> set[State]:
    return {row.target for row in TABLE if row.role == role}


def test_one_event_in_one_state_has_one_row() -> None:
    places = [(row.role, row.source, row.event) for row in TABLE]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("row", ROWS)
def test_the_row_of_an_event_is_found(row) -> None:
    assert transition(row.role, row.source, row.event) is row


def test_what_is_not_in_the_table_is_not_admitted() -> None:
    admitted = {(row.role, row.source, row.event) for row in TABLE}
    for role in ROLES:
        for state in (None, *State):
            for event in Event:
                assert (transition(role, state, event) is not None) is ((role, state, event) in admitted)


@pytest.mark.parametrize("role", ROLES)
def test_every_state_can_be_reached_from_the_beginning(role: Role) -> None:
    assert reached(role, None) == states_of(role)
    assert {row.source for row in TABLE if row.role == role} <= {None, *states_of(role)}


@pytest.mark.parametrize("role", ROLES)
def test_every_exchange_can_come_to_an_end(role: Role) -> None:
    for state in states_of(role) - ENDED[role]:
        assert reached(role, state) & ENDED[role], state


def test_every_state_belongs_to_somebody_and_only_two_to_both() -> None:
    primary, partner = map(states_of, ROLES)
    assert primary | partner == set(State)
    assert primary & partner == {State.WITHDRAWN, State.MORE_INFORMATION}


def test_an_event_happens_at_one_side_only_except_those_of_time() -> None:
    roles = {event: {row.role for row in TABLE if row.event is event} for event in Event}
    assert all(roles.values())
    both = {event for event, at in roles.items() if len(at) == 2} - BY_COMPARISON
    assert both == {Event.EXPIRED, Event.GRANT_ENDED, Event.UNDELIVERABLE}


@pytest.mark.parametrize(
    ("role", "state"),
    [
        ("primary", State.REFUSED_HERE),
        ("primary", State.REFUSED_BY_PARTNER),
        ("primary", State.WITHDRAWN),
        ("primary", State.RETRIEVED),
        ("partner", State.WITHDRAWN),
        ("partner", State.DELIVERED),
    ],
)
def test_no_row_leads_out_of_an_end(role: Role, state: State) -> None:
    assert reached(role, state) <= {state}


@pytest.mark.parametrize(
    ("role", "state", "following"),
    [
        ("primary", State.ANSWERED, State.RETRIEVED),
        ("partner", State.DECIDED, State.DELIVERED),
    ],
)
def test_an_outcome_is_never_undone(role: Role, state: State, following: State) -> None:
    assert reached(role, state) <= {state, following}


@pytest.mark.law(4)
@pytest.mark.parametrize("event", ACKNOWLEDGED)
def test_a_late_acknowledgement_never_moves_a_state_back(event: Event) -> None:
    for row in TABLE:
        if row.event is event and row.source is not row.target:
            assert row.source is not None
            assert row.source not in reached(row.role, row.target), row


def test_only_questions_and_answers_lead_back_to_a_state_that_was_left() -> None:
    back = {
        (row.source, row.event)
        for row in ORDINARY
        if row.source is not None
        and row.source is not row.target
        and row.source in reached(row.role, row.target)
    }
    assert back == {
        (State.STORED, Event.QUESTION),
        (State.MORE_INFORMATION, Event.ANSWER_SENT),
        (State.PENDING, Event.QUESTION_ASKED),
        (State.MORE_INFORMATION, Event.ANSWER),
    }


@pytest.mark.law(4)
@pytest.mark.parametrize("event", [Event.QUESTION, Event.ANSWER, Event.EARLIER_ANSWER])
def test_a_late_question_or_answer_is_taken_and_moves_nothing(event: Event) -> None:
    rows = {row.source: row.target for row in TABLE if row.event is event}
    late = {
        Event.QUESTION: (State.OVERDUE, State.WITHDRAWING, State.ANSWERED, State.RETRIEVED, State.WITHDRAWN),
    }.get(event, (State.DECIDED, State.DELIVERED, State.WITHDRAWN))
    assert all(rows[state] is state for state in late)


@pytest.mark.parametrize("event", [Event.REVIEWED, Event.EXPIRED, Event.WITHDRAWAL, Event.QUESTION_ASKED])
def test_who_asks_back_may_go_on_as_before(event: Event) -> None:
    [pending, asked_back] = [
        transition("partner", state, event) for state in (State.PENDING, State.MORE_INFORMATION)
    ]
    assert pending is not None
    assert asked_back is not None
    assert (pending.target, pending.tells) == (asked_back.target, asked_back.tells)


@pytest.mark.law(7)
def test_every_end_that_was_not_the_asker_s_own_act_is_told_to_the_asker() -> None:
    own = {Event.RETRIEVED}
    for row in TABLE:
        ends = row.role == "primary" and row.target in ENDED["primary"] and row.source is not row.target
        if ends and row.event not in own:
            assert "asker" in row.tells, row


@pytest.mark.law(3)
def test_a_comparison_changes_a_state_only_for_the_partner_s_standing_word_and_tells_of_it() -> None:
    moving = {(r.role, r.event, r.target) for r in TABLE if r.event in BY_COMPARISON and r.source != r.target}
    assert moving == {
        ("primary", Event.RESTORED, State.QUEUED),
        ("primary", Event.RECONCILED, State.ANSWERED),
        ("partner", Event.RECONCILED, State.DECIDED),
        ("primary", Event.WITHDRAWAL_STANDS, State.WITHDRAWN),
        ("partner", Event.WITHDRAWAL_STANDS, State.WITHDRAWN),
    }
    for row in TABLE:
        assert row.tells or row.event not in BY_COMPARISON - {Event.RESTORED}, row


@pytest.mark.law(7)
def test_reviewers_are_told_what_they_no_longer_have_to_decide() -> None:
    for row in TABLE:
        if row.role == "partner" and row.source in UNDECIDED and row.target not in UNDECIDED:
            assert row.tells == ("reviewers",), row
        if row.source is State.AWAITING_RELEASE and row.target in (State.REFUSED_HERE, State.WITHDRAWN):
            assert row.tells == ("asker", "reviewers"), row


@pytest.mark.step(1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 18)
def test_the_steps_that_change_an_exchange_are_in_the_table() -> None:
    assert {step for row in TABLE for step in row.steps} == {1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 18}


def test_the_steps_of_an_event_are_the_same_in_every_row_that_names_any() -> None:
    for row in TABLE:
        assert row.steps in ((), STEPS_OF.get(row.event, ())), row


@pytest.mark.step(6)
def test_only_the_partner_s_first_three_ways_decide() -> None:
    deciding = {row.event for row in TABLE if row.target is State.DECIDED and row.source in UNDECIDED}
    assert deciding == {Event.REVIEWED, Event.DECIDED_BY_RULE, Event.EXPIRED}

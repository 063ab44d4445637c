"""Whether two stopped systems agree on every exchange: read from their databases, nothing else is believed."""

import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import apsw
import msgspec

from acmx.domain.exchange import Event, State, transition

ENDS = {
    (State.STORED, State.PENDING),
    (State.ANSWERED, State.DELIVERED),
    (State.RETRIEVED, State.DELIVERED),
    (State.WITHDRAWN, State.WITHDRAWN),
    (State.WITHDRAWN, None),
}
"""What the primary and the partner may hold once nothing is under way."""


def waiting(directory: Path) -> int:
    """How many messages wait in the outbox, also while the server runs."""
    return int(_rows(directory, "SELECT COUNT(*) FROM outbox")[0][0])


def queue(directory: Path) -> list[tuple[Any, ...]]:
    """What waits in the outbox and how it fared, with the partners' next moments; also while the server runs."""
    now = int(time.time() * 1000)
    rows = _rows(directory, "SELECT id, n, type, attempts, last_error, next_attempt_at - ? FROM outbox", now)
    partners = _rows(
        directory,
        "SELECT id, failures, last_error, next_attempt_at - ?, comparison_due_at - ? FROM partner",
        now,
        now,
    )
    return [*rows, *partners]


def states(directory: Path) -> dict[str, str]:
    """The state of every exchange, also while the server runs."""
    return dict(_rows(directory, "SELECT id, state FROM exchange"))


def named_as_gone(directory: Path) -> set[str]:
    """Exchanges of which the journal says that they were acknowledged and that a failover has taken them."""
    return {
        id_ for (id_,) in _rows(directory, "SELECT id FROM journal WHERE event = 'acknowledged-and-gone'")
    }


def disagreements(
    primary: Path, partner: Path, accepted: Collection[str], *, forgetful: bool = False
) -> list[str]:
    """What is wrong, a line each. `forgetful`: the primary lost what it had acknowledged, so it was told again.

    Each accepted exchange exists; every exchange ended alike on both sides; each took only steps of the table of
    transitions, each effect once; all bodies are the same, and one response stands wherever one was decided.
    """
    here, there = states(primary), states(partner)
    wrong = [f"{id_}: accepted, but lost" for id_ in accepted if id_ not in here]
    wrong += [f"{id_}: unknown at the primary" for id_ in there if id_ not in here]
    for id_, state in here.items():
        ends = (state, there.get(id_))
        if ends not in ENDS:
            wrong.append(f"{id_}: ended as {ends}")
    for directory in (primary, partner):
        wrong += [
            f"{id_} of {directory.name}: {fault}" for id_, fault in _off_the_table(directory, forgetful)
        ]
        if waits := waiting(directory):
            wrong.append(f"{waits} messages still wait at {directory.name}")
    return wrong + _differing(_bodies(primary), _bodies(partner), there)


def _off_the_table(directory: Path, forgetful: bool) -> list[tuple[str, str]]:
    """Exchanges whose journal the table of transitions does not admit; an effect taken twice is one of these."""
    known = {
        id_: (role, state) for id_, role, state in _rows(directory, "SELECT id, role, state FROM exchange")
    }
    at: dict[str, State | None] = dict.fromkeys(known)
    effects: set[tuple[str, str]] = set()
    wrong = []
    for id_, event, detail in _rows(
        directory, "SELECT id, event, detail FROM journal WHERE id IS NOT NULL ORDER BY serial"
    ):
        if event not in set(Event) or id_ not in at:
            continue
        row = transition(known[id_][0], at[id_], Event(event))
        if row is None or msgspec.json.decode(detail)["state"] != row.target:
            wrong.append((id_, f"{event} after {at[id_]}"))
            continue
        if (id_, event) in effects and not (forgetful and event == Event.RESPONSE_DELIVERED):
            wrong.append((id_, f"{event} twice"))
        effects.add((id_, event))
        at[id_] = row.target
    return wrong + [
        (id_, f"{at[id_]} in the journal") for id_, (_, state) in known.items() if at[id_] != state
    ]


def _differing(here: dict[Any, str], there: dict[Any, str], partners_states: dict[str, str]) -> list[str]:
    """A request or response has to be at both; a withdrawal that left nothing to withdraw may be at one."""
    wrong = [f"{place}: two bodies" for place in here.keys() & there.keys() if here[place] != there[place]]
    wrong += [f"{place}: at the partner only" for place in there.keys() - here.keys()]
    answered = {place[0] for place in there if place[3] == "response"}
    decided = {id_ for id_, state in partners_states.items() if state == State.DELIVERED}
    return wrong + [f"{id_}: not one response" for id_ in answered ^ decided]


def _bodies(directory: Path) -> dict[tuple[str, str, int, str], str]:
    found = _rows(directory, "SELECT id, sender, n, type, hex(body) FROM message")
    return {(id_, sender, n, type_): body for id_, sender, n, type_, body in found if type_ != "refused"}


def _rows(directory: Path, sql: str, *values: int) -> list[tuple[Any, ...]]:
    connection = apsw.Connection(str(directory / "acmx.db"), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(5_000)
    connection.pragma("query_only", True)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()

"""Log-on, notice, query and delivery (steps 7-10 and 15-17): noted once per exchange, step and person."""

from collections.abc import Iterable

from acmx.storage.engine import Tx


def put(tx: Tx, primary: str, id_: str, person: str, steps: Iterable[tuple[int, int]]) -> None:
    """`steps` are (step, milliseconds)."""
    for step, at in steps:
        tx.execute(
            "INSERT INTO noted (primary_system, id, step, person, at) VALUES (:primary, :id, :step, :person, :at) "
            "ON CONFLICT DO NOTHING",
            {"primary": primary, "id": id_, "step": step, "person": person, "at": at},
        )


def of_exchange(tx: Tx, primary: str, id_: str) -> list[tuple[int, str, int]]:
    """(step, person, milliseconds), earliest first."""
    return [
        (step, person, at)
        for step, person, at in tx.rows(
            "SELECT step, person, at FROM noted WHERE primary_system = :primary AND id = :id ORDER BY step, at",
            {"primary": primary, "id": id_},
        )
    ]


def has(tx: Tx, primary: str, id_: str, person: str, step: int) -> bool:
    return (
        tx.row(
            "SELECT 1 FROM noted WHERE primary_system = :primary AND id = :id AND person = :person AND step = :step",
            {"primary": primary, "id": id_, "person": person, "step": step},
        )
        is not None
    )

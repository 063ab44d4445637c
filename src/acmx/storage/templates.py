"""What is kept for the documents of each partner because its answers need not carry it, version by version."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class TemplateText(msgspec.Struct, frozen=True):
    """One version of the template for one partner; `body` as JSON, secrets among it."""

    partner: str
    version: int
    body: bytes
    entered_at: int
    entered_by: str


_SELECT = f"SELECT {rows.columns(TemplateText)} FROM template"  # noqa: S608


def current(tx: Tx, partner: str) -> TemplateText | None:
    return rows.one(
        TemplateText,
        tx.row(f"{_SELECT} WHERE partner = :partner ORDER BY version DESC LIMIT 1", {"partner": partner}),
    )


def find(tx: Tx, partner: str, version: int) -> TemplateText | None:
    where = {"partner": partner, "version": version}
    return rows.one(TemplateText, tx.row(f"{_SELECT} WHERE partner = :partner AND version = :version", where))


def insert(tx: Tx, template: TemplateText) -> bool:
    """False where this version exists."""
    return (
        tx.execute(rows.insert("template", TemplateText) + " ON CONFLICT DO NOTHING", rows.params(template))
        == 1
    )

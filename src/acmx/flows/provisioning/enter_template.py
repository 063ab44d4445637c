"""The template for a partner's documents is entered, version after version; what breaks a rule replaces nothing."""

from typing import Any

import msgspec
from msgspec import Struct

from acmx.domain.acm1 import NewTemplate, Template
from acmx.domain.errors import NotFound
from acmx.domain.moments import from_ms, to_ms
from acmx.flows.carry_out import StaleError
from acmx.flows.house import House
from acmx.provisioning import template
from acmx.storage import journal, templates
from acmx.storage.engine import Tx
from acmx.storage.partnership import partners
from acmx.storage.templates import TemplateText
from acmx.trust.roles import Caller

SECRETS = ("x509", "key")
HIDDEN = "…"
"""Shown in place of a secret; given back, it keeps the secret that is there."""


class Plan(Struct, frozen=True):
    """The next version."""

    template: TemplateText


def prepare(house: House, tx: Tx, caller: Caller, partner: str, new: NewTemplate) -> Plan:
    """Raises NotFound, FaultyInput naming every fault."""
    _must_know(tx, partner)
    kept = templates.current(tx, partner)
    given = _with_secrets(new.template, msgspec.json.decode(kept.body) if kept else {})
    return Plan(
        TemplateText(
            partner=partner,
            version=kept.version + 1 if kept else 1,
            body=msgspec.json.encode(template.read(given)),
            entered_at=to_ms(house.clock()),
            entered_by=caller.mc_service_id,
        )
    )


def apply(tx: Tx, plan: Plan) -> Template:
    """Raises StaleError where another version was entered meanwhile."""
    entered = plan.template
    if not templates.insert(tx, entered):
        raise StaleError
    journal.write(
        tx,
        entered.entered_at,
        "template-entered",
        entered.entered_by,
        partner=entered.partner,
        version=entered.version,
    )
    return shown(entered)


def show(tx: Tx, partner: str) -> Template:
    """Raises NotFound."""
    _must_know(tx, partner)
    kept = templates.current(tx, partner)
    return shown(kept) if kept else Template(partner, 0, msgspec.to_builtins(template.Template()))


def shown(kept: TemplateText) -> Template:
    return Template(
        partner=kept.partner,
        version=kept.version,
        template=_without_secrets(msgspec.json.decode(kept.body)),
        entered_at=from_ms(kept.entered_at),
        entered_by=kept.entered_by,
    )


def _must_know(tx: Tx, partner: str) -> None:
    if partners.find(tx, partner) is None:
        raise NotFound(f"no partner {partner}")


def _without_secrets(document: dict[str, Any]) -> dict[str, Any]:
    tunnel = document.get("tls_tunnel_auth")
    if not tunnel:
        return document
    return document | {"tls_tunnel_auth": tunnel | {name: HIDDEN for name in SECRETS if name in tunnel}}


def _with_secrets(document: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    tunnel, kept = document.get("tls_tunnel_auth"), before.get("tls_tunnel_auth") or {}
    if not isinstance(tunnel, dict):
        return document
    secrets = {name: kept.get(name) for name in SECRETS if tunnel.get(name) == HIDDEN}
    return document | {"tls_tunnel_auth": tunnel | secrets}

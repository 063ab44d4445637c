"""The values of a document, each with its source: the partner's answer before the template, none invented (law 14)."""

from typing import Any, Literal

from msgspec import Struct

from acmx.domain import server_identity
from acmx.domain.errors import NotProvisionable
from acmx.domain.faults import Fault
from acmx.domain.server_identity import ServerIdentity
from acmx.provisioning.template import SHARED, Template, TlsTunnel

Source = Literal["answer", "template"]
OF_TEMPLATE = ("timers", "integrity_protection", "confidentiality_protection", "admin_xui", "ue_scope")


class Value(Struct, frozen=True):
    """A value and where it is from."""

    value: Any
    source: Source


class Values(Struct, frozen=True):
    """What a document is made of, by key; a key that nobody gave is absent."""

    of: dict[str, Value]

    def get(self, key: str) -> Any:
        """None where it is absent."""
        found = self.of.get(key)
        return None if found is None else found.value

    @property
    def sources(self) -> dict[str, Source]:
        return {key: value.source for key, value in self.of.items()}


def gather(answer: ServerIdentity, template: Template) -> Values:
    """Raises NotProvisionable with everything that is missing."""
    found: dict[str, Value] = {}
    for key in server_identity.ROWS:
        if given := getattr(answer, key):
            found[key] = Value(given, "answer")
        elif key in SHARED and (filled := getattr(template, key)):
            found[key] = Value(filled, "template")
    if (tunnel := found.get("tls_tunnel_auth")) and tunnel.source == "answer":
        kept = template.tls_tunnel_auth or TlsTunnel(tunnel.value.mutual)
        secrets = {"x509": kept.x509, "key": kept.key}
        found["tls_tunnel_auth"] = Value(TlsTunnel(tunnel.value.mutual, **secrets), "answer")
    for key in OF_TEMPLATE:
        if (filled := getattr(template, key)) is not None:
            found[key] = Value(filled, "template")
    if faults := _missing(answer, found):
        raise NotProvisionable(faults)
    return Values(found)


def _missing(answer: ServerIdentity, found: dict[str, Value]) -> list[Fault]:
    partners = server_identity.missing(answer)
    ours = [key for key in SHARED if server_identity.ROWS[key].must and key not in found]
    return [
        *(Fault(key, "", "is missing in the partner's answer") for key in partners),
        *(Fault(key, "", "is missing in the partner's answer and in the template") for key in ours),
    ]

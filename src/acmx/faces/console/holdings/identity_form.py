"""Server identity information as a form: one field for each of its leaves, named by its path, as faults name it.

`mcptt_server.uri` is the name of a field, of a fault, and of a text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct

from acmx.domain.server_identity import ROWS
from acmx.faces.console.fields import flat
from acmx.faces.console.forms import Form, whole

_PLMN = (
    "plmn",
    *(f"con_refs.{name}" for name in ("services", "common_core", "identity")),
    *(f"slices.{name}" for name in ("mcptt", "mcdata", "mcvideo", "common_core", "idm")),
)
SERVERS = ("mcptt_server", "mcvideo_server", "mcdata_server", "common_core_server", "idm_server")
LISTS: Mapping[str, tuple[str, ...]] = {"vplmns": _PLMN, "snssai": ("snssai", "nssaa_server")}
"""The rows that hold several entries, and the leaves of each entry."""
GROUPS: Mapping[str, tuple[str, ...]] = {
    "system": ("mc_system_id", "mc_system_name.text", "mc_system_name.lang"),
    "logging_on": (
        *("idms_auth_endpoint", "idms_token_endpoint", "idm_client_id"),
        *("http_proxy", "tls_tunnel_auth.mutual"),
    ),
    "management": (
        *("gms", "gms_uri", "gms_xcap_root", "group_creation_xui"),
        *("cms", "cms_xcap_root", "kms", "lms"),
    ),
    "services": tuple(f"{server}.{leaf}" for server in SERVERS for leaf in ("uri", "ipv6_required")),
    "home": tuple(f"hplmn.{leaf}" for leaf in _PLMN),
    "default_user": ("default_user.id", "default_user.index"),
    "more": (
        *("acm_server", "mc_gateway", "recording_server"),
        *("migration_management_server", "functional_alias_server"),
    ),
}
"""The leaves of all other rows, as they stand together."""
MOST_ENTRIES = 100
_BOOLEANS = ("ipv6_required", "mutual")
_STEP = re.compile(r"\[\d+\]")


class Field(Struct, frozen=True):
    """A field: its name, that of its text, its value in words, and whether only we can give it and it is needed."""

    name: str
    text: str
    value: str
    kind: Literal["line", "flag"]
    needed: bool


class Group(Struct, frozen=True):
    """Fields that stand together; an entry of a list has a number from 1."""

    name: str
    fields: list[Field]
    entry: int = 0


def groups(document: Mapping[str, Any], blank: str = "") -> list[Group]:
    """The form filled with a document, with one more empty entry of the list that `blank` names."""
    values = dict(flat(document))
    found = [Group(name, [_field(leaf, values) for leaf in leaves]) for name, leaves in GROUPS.items()]
    at = list(GROUPS).index("home") + 1
    entries = [
        Group(name, [_field(f"{name}[{n}].{leaf}", values) for leaf in leaves], n + 1)
        for name, leaves in LISTS.items()
        for n in range(len(document.get(name, ())) + (name == blank))
    ]
    return [*found[:at], *entries, *found[at:]]


def document_of(form: Form) -> dict[str, Any]:
    """What was filled in, as `acmx identities set` takes it; empty fields and empty entries are left out."""
    document: dict[str, Any] = {}
    for leaves in GROUPS.values():
        _fill(document, form, "", leaves)
    for name, leaves in LISTS.items():
        if entries := [entry for entry in _entries(form, name, leaves) if entry]:
            document[name] = entries
    return document


def _entries(form: Form, name: str, leaves: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for n in range(MOST_ENTRIES):
        entry: dict[str, Any] = {}
        _fill(entry, form, f"{name}[{n}].", leaves)
        yield entry


def _fill(document: dict[str, Any], form: Form, at: str, leaves: tuple[str, ...]) -> None:
    for leaf in leaves:
        if value := form.line(f"{at}{leaf}"):
            *places, last = leaf.split(".")
            place = document
            for name in places:
                place = place.setdefault(name, {})
            place[last] = _typed(last, value)


def _typed(leaf: str, value: str) -> str | bool | int:
    if leaf in _BOOLEANS and value in ("true", "false"):
        return value == "true"
    return whole(value, value) if leaf == "index" else value


def _field(name: str, values: Mapping[str, str]) -> Field:
    text = _STEP.sub("", name)
    kind: Literal["line", "flag"] = "flag" if text.rpartition(".")[2] in _BOOLEANS else "line"
    row = ROWS[text.partition(".")[0]]
    return Field(name, text, values.get(name, ""), kind, row.must and row.source == "B")

"""The server identity information of one MC system: where its application plane servers are.

The rows are those of the twin tables A.6 of TS 23.180 and TS 23.280 that the partner's answer may carry,
without the secret ones. ROWS is that table: what each row must look like, whose word it is, and whether the
UE initial configuration document (TS 24.484 clause 7.2) can be made without it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec

from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.identities import mc_service_id, server_psi, shown
from acmx.domain.rules import (
    Rule,
    as_parsed,
    https_url,
    language,
    line,
    plmn,
    server_uri,
    system_id,
    xcap_root,
)

Check = Callable[[str, object], Iterator[Fault]]

MAX_LENGTH = 2_048

_secret_name = re.compile(r"x509|key|password|credential|secret", re.IGNORECASE)


class _Shape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class SystemName(_Shape, frozen=True):
    """The name of the MC system for people, and the language it is in (RFC 5646 tag)."""

    text: str
    lang: str


class Server(_Shape, frozen=True):
    """One MC service server: its URI, and whether it is to be reached by IPv6."""

    uri: str
    ipv6_required: bool


class TlsTunnelAuth(_Shape, frozen=True):
    """How the UE and the HTTP proxy authenticate: mutually or one way. Keys travel elsewhere."""

    mutual: bool


class ConRefs(_Shape, frozen=True):
    """References to the APN or DNN of the MC services, the common core and the identity management."""

    services: str
    common_core: str
    identity: str


class Slices(_Shape, frozen=True):
    """The S-NSSAI of each service, where there is one."""

    mcptt: str | None = None
    mcdata: str | None = None
    mcvideo: str | None = None
    common_core: str | None = None
    idm: str | None = None


class Plmn(_Shape, frozen=True):
    """A mobile network: MCC and MNC as 5 or 6 digits, and how the MC services are reached in it."""

    plmn: str
    con_refs: ConRefs
    slices: Slices | None = None


class Snssai(_Shape, frozen=True):
    """A 5G slice and the server that authenticates for it."""

    snssai: str
    nssaa_server: str | None = None


class DefaultUser(_Shape, frozen=True):
    """The user profile that a UE takes before anybody has logged in."""

    id: str
    index: int


class ServerIdentity(_Shape, frozen=True):
    """The server identity information of one MC system, complete or not (see `missing`)."""

    mc_system_id: str
    mc_system_name: SystemName | None = None
    idms_auth_endpoint: str | None = None
    idms_token_endpoint: str | None = None
    idm_client_id: str | None = None
    http_proxy: str | None = None
    gms: str | None = None
    gms_uri: str | None = None
    gms_xcap_root: str | None = None
    group_creation_xui: str | None = None
    cms: str | None = None
    cms_xcap_root: str | None = None
    kms: str | None = None
    lms: str | None = None
    mcptt_server: Server | None = None
    mcvideo_server: Server | None = None
    mcdata_server: Server | None = None
    common_core_server: Server | None = None
    idm_server: Server | None = None
    tls_tunnel_auth: TlsTunnelAuth | None = None
    hplmn: Plmn | None = None
    vplmns: tuple[Plmn, ...] = ()
    snssai: tuple[Snssai, ...] = ()
    default_user: DefaultUser | None = None
    acm_server: str | None = None
    mc_gateway: str | None = None
    recording_server: str | None = None
    migration_management_server: str | None = None
    functional_alias_server: str | None = None


# The shapes: each yields the faults of a value that stands at `field`.


def _string(rule: Rule) -> Check:
    def check(field: str, value: object) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield Fault(field, _shown(value), "must be a string")
        elif not value:
            yield Fault(field, "", "must not be empty")
        elif len(value) > MAX_LENGTH:
            yield Fault(field, _shown(value), f"must have at most {MAX_LENGTH:,} characters")
        elif broken := rule(value):
            yield Fault(field, _shown(value), broken)

    return check


def _boolean(field: str, value: object) -> Iterator[Fault]:
    if not isinstance(value, bool):
        yield Fault(field, _shown(value), "must be true or false")


def _index(field: str, value: object) -> Iterator[Fault]:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 255:
        yield Fault(field, _shown(value), "must be a whole number from 0 to 255")


def _record(needed: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    known = {**needed, **(optional or {})}

    def check(field: str, value: object) -> Iterator[Fault]:
        if not isinstance(value, Mapping):
            yield Fault(field, _shown(value), f"must be a table with {', '.join(known)}")
            return
        for name, member in known.items():
            if name in value:
                yield from member(_join(field, name), value[name])
            elif name in needed:
                yield Fault(_join(field, name), "", "is missing")
        for name in sorted(value.keys() - known.keys()):
            yield _stranger(_join(field, name), name, value[name])

    return check


def _list_of(member: Check) -> Check:
    def check(field: str, value: object) -> Iterator[Fault]:
        if not isinstance(value, list | tuple):
            yield Fault(field, _shown(value), "must be a list")
            return
        for index, item in enumerate(value):
            yield from member(f"{field}[{index}]", item)

    return check


_TEXT = _string(line)
_HTTPS = _string(https_url)
_XCAP_ROOT = _string(xcap_root)
_URI = _string(server_uri)
_USER = _string(as_parsed(mc_service_id))
_SERVER = _record({"uri": _URI, "ipv6_required": _boolean})
_CON_REFS = _record({"services": _TEXT, "common_core": _TEXT, "identity": _TEXT})
_SLICES = _record({}, dict.fromkeys(("mcptt", "mcdata", "mcvideo", "common_core", "idm"), _TEXT))
_PLMN = _record({"plmn": _string(plmn), "con_refs": _CON_REFS}, {"slices": _SLICES})


class Row(NamedTuple):
    """A row: its check; whose word it is (B: the partner's, B/T: else a template fills it); needed or not."""

    check: Check
    source: Literal["B", "B/T"]
    must: bool = False


ROWS: Mapping[str, Row] = {
    "mc_system_id": Row(_string(system_id), "B", must=True),
    "mc_system_name": Row(_record({"text": _TEXT, "lang": _string(language)}), "B/T"),
    "idms_auth_endpoint": Row(_HTTPS, "B", must=True),
    "idms_token_endpoint": Row(_HTTPS, "B", must=True),
    "idm_client_id": Row(_TEXT, "B/T"),
    "http_proxy": Row(_HTTPS, "B", must=True),
    "gms": Row(_HTTPS, "B", must=True),
    "gms_uri": Row(_string(as_parsed(server_psi)), "B", must=True),
    "gms_xcap_root": Row(_XCAP_ROOT, "B", must=True),
    "group_creation_xui": Row(_USER, "B/T", must=True),
    "cms": Row(_HTTPS, "B", must=True),
    "cms_xcap_root": Row(_XCAP_ROOT, "B", must=True),
    "kms": Row(_HTTPS, "B", must=True),
    "lms": Row(_URI, "B"),
    "mcptt_server": Row(_SERVER, "B"),
    "mcvideo_server": Row(_SERVER, "B"),
    "mcdata_server": Row(_SERVER, "B"),
    "common_core_server": Row(_SERVER, "B"),
    "idm_server": Row(_SERVER, "B"),
    "tls_tunnel_auth": Row(_record({"mutual": _boolean}), "B/T", must=True),
    "hplmn": Row(_PLMN, "B/T", must=True),
    "vplmns": Row(_list_of(_PLMN), "B/T"),
    "snssai": Row(_list_of(_record({"snssai": _TEXT}, {"nssaa_server": _URI})), "B/T"),
    "default_user": Row(_record({"id": _USER, "index": _index}), "B/T"),
    "acm_server": Row(_URI, "B"),
    "mc_gateway": Row(_URI, "B"),
    "recording_server": Row(_URI, "B"),
    "migration_management_server": Row(_URI, "B"),
    "functional_alias_server": Row(_URI, "B"),
}
_DOCUMENT = _record(
    {"mc_system_id": ROWS["mc_system_id"].check}, {name: row.check for name, row in ROWS.items()}
)
SERVICES = ("mcptt_server", "mcvideo_server", "mcdata_server")


def read(document: Mapping[str, object]) -> ServerIdentity:
    """Read server identity information as it comes from TOML or JSON.

    Raises FaultyInput with every fault at once, in the order of ROWS; the value of a secret is never shown.
    """
    faults = [*_DOCUMENT("", document), *_repeated_networks(document)]
    if faults:
        named_once = dict.fromkeys([*faults, *_secrets(document)])
        raise FaultyInput(sorted(named_once, key=_place_in_table))
    return msgspec.convert(document, ServerIdentity)


def host_of(mc_system_id: str) -> str:
    """The host, in lower case, of a valid MC system ID: of itself, or of the URI that it is."""
    if ":" not in mc_system_id:
        return mc_system_id
    if mc_system_id.lower().startswith("https:"):
        return urlsplit(mc_system_id).hostname or ""
    return server_psi(mc_system_id).host


def missing(identity: ServerIdentity) -> list[str]:
    """Return the rows that only the partner can give, that are needed and are not there; none: complete.

    At least one of the three services is needed; without any, one entry names all three.
    """
    absent = {name for name in ROWS if getattr(identity, name) is None}
    rows = [name for name, row in ROWS.items() if row.must and row.source == "B" and name in absent]
    return [*rows, " or ".join(SERVICES)] if absent.issuperset(SERVICES) else rows


def _repeated_networks(document: Mapping[str, object]) -> Iterator[Fault]:
    vplmns = document.get("vplmns")
    networks = {"hplmn": document.get("hplmn")}
    networks.update(
        (f"vplmns[{i}]", v) for i, v in enumerate(vplmns if isinstance(vplmns, list | tuple) else ())
    )
    first_at: dict[str, str] = {}
    for field, network in networks.items():
        plmn = network.get("plmn") if isinstance(network, Mapping) else None
        if isinstance(plmn, str) and first_at.setdefault(plmn, field) != field:
            yield Fault(f"{field}.plmn", _shown(plmn), f"is the same network as {first_at[plmn]}")


def _stranger(field: str, name: str, value: object) -> Fault:
    if _secret_name.search(name):
        return Fault(field, "…", "is secret and is never exchanged")
    return Fault(field, _shown(value), "is not known")


def _secrets(document: Mapping[str, object]) -> Iterator[Fault]:
    """Wherever they stand, also inside what is not known; a document without any other fault has none."""
    waiting: list[tuple[str, object]] = [("", document)]
    while waiting:
        field, value = waiting.pop()
        if isinstance(value, Mapping):
            for name in sorted(value, reverse=True):
                if _secret_name.search(name):
                    yield _stranger(_join(field, name), name, value[name])
                else:
                    waiting.append((_join(field, name), value[name]))
        elif isinstance(value, list | tuple):
            waiting.extend((f"{field}[{index}]", item) for index, item in enumerate(value))


def _place_in_table(fault: Fault) -> tuple[int, str]:
    name = re.split(r"[.\[]", fault.field)[0]
    rows = list(ROWS)
    return (rows.index(name), "") if name in ROWS else (len(rows), name)


def _join(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "{…}"
    if isinstance(value, list | tuple):
        return "[…]"
    return shown(str(value))

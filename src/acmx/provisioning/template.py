"""What the primary keeps for each partner because its answer need not carry it (TS 24.484 clause 7.2)."""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from acmx.domain import server_identity
from acmx.domain.documents import convert
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.rules import digits, octet, uri
from acmx.domain.server_identity import DefaultUser, Plmn, Snssai, SystemName

SHARED = tuple(name for name, row in server_identity.ROWS.items() if row.source == "B/T")
"""What an answer may carry as well; then the answer holds."""


class Timers(Struct, frozen=True, forbid_unknown_fields=True):
    """The floor control timers (TS 24.380), in seconds; the golden values of TS 36.579-1 clause 5.5.8.1."""

    t100: int = 2
    t101: int = 2
    t103: int = 5
    t104: int = 2
    t132: int = 3


class TlsTunnel(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How the UE and the HTTP proxy authenticate; `x509` and `key` are secret."""

    mutual: bool
    x509: str | None = None
    key: str | None = None


class SnrRange(Struct, frozen=True, forbid_unknown_fields=True):
    """Serial numbers from `low` to `high`, both among them."""

    low: str
    high: str


class ImeiRange(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """UEs of one type allocation code: all, or those with these serial numbers."""

    tac: str
    snr: tuple[str, ...] = ()
    snr_ranges: tuple[SnrRange, ...] = ()


class UeScope(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which UEs the document is for; without it, for all."""

    instance_ids: tuple[str, ...] = ()
    imei_ranges: tuple[ImeiRange, ...] = ()


class Template(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Values for the documents of one partner. `own_servers`: also those of its servers that have no element there."""

    timers: Timers = Timers()
    integrity_protection: bool = True
    confidentiality_protection: bool = True
    mc_system_name: SystemName | None = None
    idm_client_id: str | None = None
    group_creation_xui: str | None = None
    tls_tunnel_auth: TlsTunnel | None = None
    hplmn: Plmn | None = None
    vplmns: tuple[Plmn, ...] = ()
    snssai: tuple[Snssai, ...] = ()
    default_user: DefaultUser | None = None
    admin_xui: str | None = None
    ue_scope: UeScope | None = None
    own_servers: bool = False


def read(document: Mapping[str, object]) -> Template:
    """A template as it comes from TOML or JSON. Raises FaultyInput with every fault at once."""
    shared = {name: value for name, value in document.items() if name in SHARED and name != "tls_tunnel_auth"}
    faults = [
        fault for name, value in shared.items() for fault in server_identity.ROWS[name].check(name, value)
    ]
    faults += [
        Fault(name, "", "is not a value of a template")
        for name in document
        if name not in Template.__struct_fields__
    ]
    rest = {
        name: value
        for name, value in document.items()
        if name in Template.__struct_fields__ and name not in shared
    }
    try:
        template = convert(rest, Template)
    except FaultyInput as error:
        raise FaultyInput([*faults, *error.faults]) from None
    faults += _faults(template)
    if faults:
        raise FaultyInput(faults)
    return msgspec.structs.replace(template, **msgspec.structs.asdict(convert(document, Template)))


def _faults(template: Template) -> Iterator[Fault]:
    for name, seconds in msgspec.structs.asdict(template.timers).items():
        if broken := octet(str(seconds)):
            yield Fault(f"timers.{name}", str(seconds), broken)
    if template.admin_xui is not None and (broken := uri(template.admin_xui)):
        yield Fault("admin_xui", template.admin_xui, broken)
    tunnel = template.tls_tunnel_auth
    for name in ("x509", "key"):
        if tunnel is not None and getattr(tunnel, name) == "":
            yield Fault(f"tls_tunnel_auth.{name}", "", "must not be empty")
    if template.ue_scope is not None:
        yield from _faults_of_scope(template.ue_scope)


def _faults_of_scope(scope: UeScope) -> Iterator[Fault]:
    if not (scope.instance_ids or scope.imei_ranges):
        yield Fault("ue_scope", "", "must name a UE, or be left out for all")
    for n, instance in enumerate(scope.instance_ids):
        if broken := uri(instance):
            yield Fault(f"ue_scope.instance_ids[{n}]", instance, broken)
    tac, snr = digits(8), digits(6)
    for n, imei in enumerate(scope.imei_ranges):
        at = f"ue_scope.imei_ranges[{n}]"
        if broken := tac(imei.tac):
            yield Fault(f"{at}.tac", imei.tac, broken)
        bounds = [bound for r in imei.snr_ranges for bound in (r.low, r.high)]
        for number in (*imei.snr, *bounds):
            if broken := snr(number):
                yield Fault(at, number, broken)
        for numbers in imei.snr_ranges:
            if not (snr(numbers.low) or snr(numbers.high)) and int(numbers.low) > int(numbers.high):
                yield Fault(
                    f"{at}.snr_ranges", f"{numbers.low}-{numbers.high}", "must not begin above its end"
                )

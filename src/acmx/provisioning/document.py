"""The MCS UE initial configuration document of one partner (TS 24.484 clause 7.2), always in the same order."""

from typing import Any

from lxml import etree

from acmx.domain.server_identity import Plmn, ServerIdentity, Slices
from acmx.provisioning.names import OWN_NAMESPACE, UE_NAMESPACE, UE_ROOT, XML_LANG, ue
from acmx.provisioning.template import Template, UeScope
from acmx.provisioning.ue_shape import must_hold
from acmx.provisioning.values import Values, gather
from acmx.provisioning.xml import Element

DETAILS = (
    ("MCPTT", "mcptt_server"),
    ("MCVideo", "mcvideo_server"),
    ("MCData", "mcdata_server"),
    ("MCCommonCore", "common_core_server"),
    ("MCIdM", "idm_server"),
)
SLICES = (
    ("MCPTT", "mcptt"),
    ("MCData", "mcdata"),
    ("MCVideo", "mcvideo"),
    ("MC-common-core", "common_core"),
    ("MC-ID", "idm"),
)
OWN = (
    "acm_server",
    "mc_gateway",
    "recording_server",
    "migration_management_server",
    "functional_alias_server",
)
"""Servers for which the standard has no element."""


def make(answer: ServerIdentity, template: Template, *, rel13: bool = False) -> tuple[Element, Values]:
    """The document, and what it was made of. `rel13` leaves out what readers of Release 13 do not know.

    Raises NotProvisionable with everything that is missing, InvalidDocument where a value breaks a rule.
    """
    values = gather(answer, template)
    root = _root(values, template, extended=not rel13)
    must_hold(root)
    return root, values


def _root(values: Values, template: Template, *, extended: bool) -> Element:
    attributes = {"domain": values.get("mc_system_id")}
    if owner := values.get("admin_xui"):
        attributes["XUI-URI"] = owner
    root = etree.Element(ue(UE_ROOT), attributes, nsmap={None: UE_NAMESPACE})
    if scope := values.get("ue_scope"):
        _scope(root, scope)
    if name := values.get("mc_system_name"):
        _add(root, "name", name.text).set(XML_LANG, name.lang)
    if user := values.get("default_user"):
        _add(root, "Default-user-profile", **{"User-ID": user.id, "user-profile-index": str(user.index)})
    network = _add(root, "on-network")
    timers = _add(network, "Timers")
    for timer in ("t100", "t101", "t103", "t104", "t132"):
        _add(timers, timer.upper(), str(getattr(values.get("timers"), timer)))
    home = _network(network, "HPLMN", values.get("hplmn"), extended=extended)
    for visited in values.get("vplmns") or ():
        _network(home, "VPLMN", visited, extended=extended)
    _servers(network, values, extended=extended)
    _add(network, "GMS-URI", values.get("gms_uri"))
    _add(network, "group-creation-XUI", values.get("group_creation_xui"))
    _add(network, "GMS-XCAP-root-URI", values.get("gms_xcap_root"))
    _add(network, "CMS-XCAP-root-URI", values.get("cms_xcap_root"))
    _add(network, "integrity-protection-enabled", _truth(values.get("integrity_protection")))
    _add(network, "confidentiality-protection-enabled", _truth(values.get("confidentiality_protection")))
    if extended:
        _services(network, values, own=template.own_servers)
    return root


def _scope(root: Element, scope: UeScope) -> None:
    ids = _add(root, "mcptt-UE-id")
    for instance in scope.instance_ids:
        _add(ids, "Instance-ID-URN", instance)
    for imei in scope.imei_ranges:
        numbers = _add(ids, "IMEI-range")
        _add(numbers, "TAC", imei.tac)
        for number in imei.snr:
            _add(numbers, "SNR", number)
        for bounds in imei.snr_ranges:
            serial = _add(numbers, "SNR-range")
            _add(serial, "Low-SNR", bounds.low)
            _add(serial, "High-SNR", bounds.high)


def _network(parent: Element, name: str, plmn: Plmn, *, extended: bool) -> Element:
    network = _add(parent, name, PLMN=plmn.plmn)
    service = _add(network, "service")
    _add(service, "MCPTT-to-con-ref", plmn.con_refs.services)
    _add(service, "MC-common-core-to-con-ref", plmn.con_refs.common_core)
    _add(service, "MC-ID-to-con-ref", plmn.con_refs.identity)
    slices = plmn.slices or Slices()
    named = [(f"{name}-ref-SNSSAI", slice_) for name, key in SLICES if (slice_ := getattr(slices, key))]
    if named and extended:
        extension = _add(service, "anyExt")
        for element, slice_ in named:
            _add(extension, element, slice_)
    return network


def _servers(network: Element, values: Values, *, extended: bool) -> None:
    servers = _add(network, "App-Server-Info")
    for key in ("idms_auth_endpoint", "idms_token_endpoint", "http_proxy", "gms", "cms", "kms"):
        _add(servers, key.replace("_", "-"), values.get(key))
    tunnel, given = _add(servers, "tls-tunnel-auth-method"), values.get("tls_tunnel_auth")
    _add(tunnel, "mutual-authentication", _truth(given.mutual))
    for key in ("x509", "key"):
        if secret := getattr(given, key):
            _add(tunnel, key, secret)
    more = [(name, values.get(key)) for name, key in (("lms", "lms"), ("Idm-Client-Id", "idm_client_id"))]
    if extended and any(value for _, value in more):
        extension = _add(servers, "anyExt")
        for name, value in more:
            if value:
                _add(extension, name, value)


def _services(network: Element, values: Values, *, own: bool) -> None:
    extension = _add(network, "anyExt")
    for name, key in DETAILS:
        if server := values.get(key):
            details = _add(extension, f"{name}-Service-Details")
            _add(details, "IPv6-Required", _truth(server.ipv6_required))
            _add(details, "Server-URI", server.uri)
    for slice_ in values.get("snssai") or ():
        entry = _add(extension, "SNSSAI", SNSSAI=slice_.snssai)
        if slice_.nssaa_server:
            _add(entry, "NSSAA-Server", slice_.nssaa_server)
    named = [(key, values.get(key)) for key in OWN if values.get(key)]
    if own and named:
        ours = etree.SubElement(extension, f"{{{OWN_NAMESPACE}}}servers", nsmap={"acmx": OWN_NAMESPACE})
        for key, address in named:
            etree.SubElement(ours, f"{{{OWN_NAMESPACE}}}{key.replace('_', '-')}").text = address


def _add(parent: Element, name: str, text: str | None = None, **attributes: Any) -> Element:
    element = etree.SubElement(parent, ue(name), attributes)
    element.text = text
    return element


def _truth(value: bool) -> str:
    return "true" if value else "false"

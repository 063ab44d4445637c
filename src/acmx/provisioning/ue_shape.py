"""The MCS UE initial configuration document (TS 24.484 clause 7.2) as a table, with what its schemas do not say."""

from collections.abc import Iterator

from lxml import etree

from acmx.domain.errors import InvalidDocument
from acmx.domain.faults import Fault
from acmx.domain.identities import mc_system_id
from acmx.domain.rules import (
    as_parsed,
    boolean,
    digits,
    https_url,
    language,
    line,
    octet,
    plmn,
    server_uri,
    uri,
    xcap_root,
)
from acmx.provisioning.names import UE_NAMESPACE, UE_ROOT, XML_LANG, ue
from acmx.provisioning.shape import Child, Shape, fault, faults, text_of
from acmx.provisioning.xml import Element

TIMERS = ("T100", "T101", "T103", "T104", "T132")
SERVICES = ("MCPTT", "MCVideo", "MCData", "MCCommonCore", "MCIdM")
SLICES = ("MCPTT", "MCData", "MCVideo", "MC-common-core", "MC-ID")


def check(root: Element) -> list[Fault]:
    """Every fault of a document, in the order of its lines."""
    if root.tag != ue(UE_ROOT):
        rule = f"must be {UE_ROOT} of namespace {UE_NAMESPACE}"
        return [fault(root, etree.QName(root).localname, rule)]
    return list(faults(root, DOCUMENT))


def must_hold(root: Element) -> None:
    """Raises InvalidDocument with every fault."""
    if found := check(root):
        raise InvalidDocument(found)


def _domain(text: str) -> str:
    return uri(text) if ":" in text else as_parsed(mc_system_id)(text.lower())


def _anything(_: str) -> str:
    return ""


def _extension(*known: Child) -> Child:
    children = tuple(child._replace(least=0) for child in known)
    return Child("anyExt", Shape(children=children, ordered=False, open=True), 0)


def _text(name: str, rule: object = line, **attributes: object) -> Child:
    return Child(name, Shape(text=rule, **attributes))  # type: ignore[arg-type]


def _ordered_numbers(element: Element, path: str) -> Iterator[Fault]:
    bounds = [text_of(child) for child in element.iterchildren(ue("Low-SNR"), ue("High-SNR"))]
    if len(bounds) == 2 and all(map(str.isdecimal, bounds)) and int(bounds[0]) > int(bounds[1]):
        yield fault(element, path, "must not begin above its end", "-".join(bounds))


def _other_networks(element: Element, path: str) -> Iterator[Fault]:
    seen = {element.get("PLMN")}
    for n, visited in enumerate(element.iterchildren(ue("VPLMN")), 1):
        if visited.get("PLMN") in seen:
            at = f"{path}/VPLMN[{n}]/@PLMN"
            yield fault(visited, at, "must be another network", visited.get("PLMN") or "")
        seen.add(visited.get("PLMN"))


def _one_name_a_language(element: Element, path: str) -> Iterator[Fault]:
    seen = set()
    for n, name in enumerate(element.iterchildren(ue("name")), 1):
        tag = (name.get(XML_LANG) or "").lower()
        if tag and language(tag):
            yield fault(name, f"{path}/name[{n}]/@xml:lang", language(tag), tag)
        if tag in seen:
            yield fault(name, f"{path}/name[{n}]", "must be the only one of its language", tag)
        seen.add(tag)


_INDEX = {"index": line}
_SERVICE = Shape(
    children=(
        _text("MCPTT-to-con-ref"),
        _text("MC-common-core-to-con-ref"),
        _text("MC-ID-to-con-ref"),
        _extension(*(_text(f"{name}-ref-SNSSAI") for name in SLICES)),
    )
)
_NETWORK = (Child("service", _SERVICE),)
_DETAILS = Shape(children=(_text("IPv6-Required", boolean), _text("Server-URI", server_uri), _extension()))
_SNSSAI = Shape(
    required={"SNSSAI": line},
    children=(
        Child("NSSAA-Server", Shape(text=uri), 0),
        Child("credentials", Shape(children=(Child("ID", Shape(text=line), 0),)), 0),
    ),
)
_APP_SERVERS = Shape(
    children=(
        _text("idms-auth-endpoint", https_url),
        _text("idms-token-endpoint", https_url),
        _text("http-proxy", https_url),
        _text("gms", https_url),
        _text("cms", https_url),
        _text("kms", https_url),
        Child(
            "tls-tunnel-auth-method",
            Shape(
                children=(
                    _text("mutual-authentication", boolean),
                    Child("x509", Shape(text=_anything), 0),
                    Child("key", Shape(text=_anything), 0),
                    _extension(),
                )
            ),
        ),
        _extension(_text("lms", server_uri), _text("Idm-Client-Id"), _text("mcServiceUELabel")),
    )
)
_ON_NETWORK = Shape(
    attributes=_INDEX,
    open=True,
    children=(
        Child("Timers", Shape(children=(*(_text(name, octet) for name in TIMERS), _extension()))),
        Child(
            "HPLMN",
            Shape(
                required={"PLMN": plmn},
                children=(
                    *_NETWORK,
                    Child("VPLMN", Shape(required={"PLMN": plmn}, children=_NETWORK), 0, None),
                ),
                also=_other_networks,
            ),
        ),
        Child("App-Server-Info", _APP_SERVERS),
        _text("GMS-URI", server_uri),
        _text("group-creation-XUI", uri),
        _text("GMS-XCAP-root-URI", xcap_root),
        _text("CMS-XCAP-root-URI", xcap_root),
        _text("integrity-protection-enabled", boolean),
        _text("confidentiality-protection-enabled", boolean),
        _extension(
            *(Child(f"{name}-Service-Details", _DETAILS) for name in SERVICES),
            Child("SNSSAI", _SNSSAI, 0, None),
            _text("lms", server_uri),
            _text("Idm-Client-Id"),
            _text("mcServiceUELabel"),
        ),
    ),
)
_SNR = digits(6)
_IMEI_RANGE = Shape(
    attributes=_INDEX,
    children=(
        Child("TAC", Shape(text=digits(8), attributes=_INDEX)),
        Child("SNR", Shape(text=_SNR, attributes=_INDEX), 0, None),
        Child(
            "SNR-range",
            Shape(
                attributes=_INDEX,
                children=(_text("Low-SNR", _SNR), _text("High-SNR", _SNR)),
                also=_ordered_numbers,
            ),
            0,
            None,
        ),
    ),
    ordered=False,
)
DOCUMENT = Shape(
    required={"domain": _domain},
    attributes={"XUI-URI": uri, "Instance-ID-URN": uri},
    open=True,
    ordered=False,
    children=(
        Child(
            "mcptt-UE-id",
            Shape(
                attributes=_INDEX,
                ordered=False,
                children=(
                    Child("Instance-ID-URN", Shape(text=uri, attributes=_INDEX), 0, None),
                    Child("IMEI-range", _IMEI_RANGE, 0, None),
                ),
            ),
            0,
        ),
        Child("name", Shape(text=line, attributes=_INDEX), 0, None),
        Child(
            "Default-user-profile",
            Shape(required={"User-ID": uri, "user-profile-index": octet}, attributes=_INDEX),
            0,
        ),
        Child("on-network", _ON_NETWORK),
        Child("off-network", Shape(lax=True), 0),
        Child("anyExt", Shape(lax=True), 0),
    ),
    also=_one_name_a_language,
)

"""Server identity information out of an existing UE initial configuration document, so that nobody types it again."""

from typing import Any

from acmx.provisioning.document import DETAILS, OWN, SLICES
from acmx.provisioning.names import OWN_NAMESPACE, XML_LANG, ue
from acmx.provisioning.shape import text_of
from acmx.provisioning.ue_shape import must_hold
from acmx.provisioning.xml import Element

_ADDRESSES = {
    "App-Server-Info/idms-auth-endpoint": "idms_auth_endpoint",
    "App-Server-Info/idms-token-endpoint": "idms_token_endpoint",
    "App-Server-Info/http-proxy": "http_proxy",
    "App-Server-Info/gms": "gms",
    "App-Server-Info/cms": "cms",
    "App-Server-Info/kms": "kms",
    "GMS-URI": "gms_uri",
    "group-creation-XUI": "group_creation_xui",
    "GMS-XCAP-root-URI": "gms_xcap_root",
    "CMS-XCAP-root-URI": "cms_xcap_root",
}
_MORE = {"lms": "lms", "Idm-Client-Id": "idm_client_id"}


def server_identity(root: Element) -> dict[str, Any]:
    """The document as `acmx identities set` takes it, still to be read; secrets stay behind.

    Raises InvalidDocument with every fault of the document.
    """
    must_hold(root)
    network = _one(root, "on-network")
    found: dict[str, Any] = {"mc_system_id": root.get("domain")}
    if (name := root.find(ue("name"))) is not None:
        found["mc_system_name"] = {"text": text_of(name), "lang": name.get(XML_LANG) or "en"}
    found |= {key: text_of(_one(network, path)) for path, key in _ADDRESSES.items()}
    for place in ("App-Server-Info/anyExt", "anyExt"):
        for name_, key in _MORE.items():
            if (more := _any(network, f"{place}/{name_}")) is not None:
                found[key] = text_of(more)
    mutual = _one(network, "App-Server-Info/tls-tunnel-auth-method/mutual-authentication")
    found["tls_tunnel_auth"] = {"mutual": _true(mutual)}
    home = _one(network, "HPLMN")
    found["hplmn"] = _plmn(home)
    if visited := [_plmn(network) for network in home.iterchildren(ue("VPLMN"))]:
        found["vplmns"] = visited
    if (user := root.find(ue("Default-user-profile"))) is not None:
        found["default_user"] = {"id": user.get("User-ID"), "index": int(user.get("user-profile-index") or 0)}
    return found | _extension(network)


def _extension(network: Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, key in DETAILS:
        if (details := _any(network, f"anyExt/{name}-Service-Details")) is not None:
            address, ipv6 = _one(details, "Server-URI"), _one(details, "IPv6-Required")
            found[key] = {"uri": text_of(address), "ipv6_required": _true(ipv6)}
    slices = [
        {"snssai": entry.get("SNSSAI")} | ({} if server is None else {"nssaa_server": text_of(server)})
        for entry in network.iterfind(f"{ue('anyExt')}/{ue('SNSSAI')}")
        for server in [_any(entry, "NSSAA-Server")]
    ]
    for key in OWN:
        name = f"{{{OWN_NAMESPACE}}}{key.replace('_', '-')}"
        if (server := network.find(f"{ue('anyExt')}/{{{OWN_NAMESPACE}}}servers/{name}")) is not None:
            found[key] = text_of(server)
    return found | ({"snssai": slices} if slices else {})


def _plmn(network: Element) -> dict[str, Any]:
    service = _one(network, "service")
    refs = {"services": "MCPTT", "common_core": "MC-common-core", "identity": "MC-ID"}
    found: dict[str, Any] = {
        "plmn": network.get("PLMN"),
        "con_refs": {key: text_of(_one(service, f"{name}-to-con-ref")) for key, name in refs.items()},
    }
    slices = {
        key: text_of(slice_)
        for name, key in SLICES
        if (slice_ := _any(service, f"anyExt/{name}-ref-SNSSAI")) is not None
    }
    return found | ({"slices": slices} if slices else {})


def _any(element: Element, path: str) -> Element | None:
    return element.find("/".join(map(ue, path.split("/"))))


def _one(element: Element, path: str) -> Element:
    found = _any(element, path)
    if found is None:
        raise LookupError(path)
    return found


def _true(element: Element) -> bool:
    return text_of(element) in ("true", "1")

"""Answers, templates, and the standard's own files where they are at hand."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from acmx.domain import server_identity
from acmx.domain.server_identity import ServerIdentity
from acmx.provisioning import template
from acmx.provisioning.document import make
from acmx.provisioning.template import Template
from acmx.provisioning.xml import Element

ROOT = Path(__file__).parents[3]
CATALOGUES = ROOT / "examples" / "catalogues"
STANDARD = next((p / "shared" / "3gpp" for p in ROOT.parents if (p / "shared" / "3gpp").is_dir()), None)
CON_REFS = {"services": "mcservices.b", "common_core": "mccore.b", "identity": "mcid.b"}
TEMPLATE: dict[str, Any] = {
    "group_creation_xui": "sip:groups@mc.partner-b.example.net",
    "tls_tunnel_auth": {"mutual": False},
    "hplmn": {"plmn": "00101", "con_refs": CON_REFS},
}


def standards(name: str) -> Path:
    """A file of the standard, which is not ours to publish."""
    if STANDARD is None:
        pytest.skip("needs the schemas of 3GPP beside the project, in shared/3gpp")
    return STANDARD / name


def answer(**changes: Any) -> ServerIdentity:
    """What a partner answers at the least, with one MC service."""
    https = "https://{}.mc.partner-b.example.net"
    least: dict[str, Any] = {
        "mc_system_id": "mc.partner-b.example.net",
        "idms_auth_endpoint": https.format("idms") + "/authreq",
        "idms_token_endpoint": https.format("idms") + "/tokenreq",
        "http_proxy": https.format("proxy"),
        "gms": https.format("gms"),
        "gms_uri": "sip:gms_psi@mc.partner-b.example.net",
        "gms_xcap_root": https.format("gms") + "/xcap-root",
        "cms": https.format("cms"),
        "cms_xcap_root": https.format("cms") + "/xcap-root",
        "kms": https.format("kms"),
        "mcptt_server": {"uri": "sip:mcptt_psi@mc.partner-b.example.net", "ipv6_required": False},
    }
    given = {**least, **changes}
    return server_identity.read({key: value for key, value in given.items() if value is not None})


def of_template(**changes: Any) -> Template:
    return template.read({**TEMPLATE, **changes})


def catalogue(name: str) -> ServerIdentity:
    return server_identity.read(tomllib.loads((CATALOGUES / name).read_text()))


def document(given: ServerIdentity | None = None, **changes: Any) -> Element:
    return make(given or answer(), of_template(**changes))[0]


def schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(standards(name).read_bytes(), base_url=str(standards(name))))

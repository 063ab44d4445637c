"""What arrives at the CMS, byte for byte: `examples/documents` holds the documents of a push as a CMS has them then."""

import asyncio
import tomllib
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from acmx.provisioning.names import PROFILES, UE_NAMESPACE, UE_ROOT
from acmx.provisioning.ue_shape import check
from acmx.provisioning.xml import parse
from integration.provisioning.test_provisioning import answered
from integration.provisioning.test_xcap import UE_PATH, carried_out, with_cms
from support.partner.xcap import path_of
from support.systems.provisioning import CATALOGUES, schema
from support.systems.systems import EXAMPLES, FIRE, POLICE, System

GOLDEN = EXAMPLES / "documents"
USER = f"sip:officer.1@{POLICE}"
CASES = {"all-services": "metro-police.toml", "frmcs": "railway-frmcs.toml"}
SERVICES = {"all-services": ("mcptt", "mcvideo", "mcdata"), "frmcs": ("mcptt", "mcdata")}
UE = "ue-init-config.xml"
BOTH = pytest.mark.parametrize("case", list(CASES))


def plain(service: str) -> bytes:
    """A profile before the push."""
    names = PROFILES[service]  # type: ignore[index]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{names.root} xmlns="{names.namespace}" XUI-URI="{USER}" '
        f'user-profile-index="0">\n  <Name>day shift</Name>\n  <Status>true</Status>\n</{names.root}>\n'
    ).encode()


async def offers(fire: System, case: str) -> None:
    """The fire service has the servers of another example."""
    given = tomllib.loads((CATALOGUES / CASES[case]).read_text()) | {"mc_system_id": FIRE}
    await fire.done("PUT", "/server-identities", {"server_identity": given})


async def pushed(tmp_path: Path, case: str) -> dict[str, bytes]:
    """The documents of a real job, as they lie at the CMS, by the name of the golden file."""
    async with with_cms(tmp_path) as (police, fire, cms):
        cms.documents = {path_of(service, USER): plain(service) for service in PROFILES}
        await offers(fire, case)
        job = await carried_out(police, await answered(police, fire, users=[USER]))
        assert job["counts"] == {"written": len(SERVICES[case]) + 1}, job
        found: dict[str, bytes] = {UE: cms.documents.pop(UE_PATH)}
        for service in PROFILES:
            document = cms.documents[path_of(service, USER)]
            if service in SERVICES[case]:
                found[PROFILES[service].file(0)] = document
            else:
                assert document == plain(service)
        return found


def golden(case: str) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (GOLDEN / case).iterdir()}


@BOTH
def test_the_documents_arrive_byte_for_byte(case: str, tmp_path: Path) -> None:
    assert asyncio.run(pushed(tmp_path, case)) == golden(case)


@BOTH
def test_each_profile_holds_the_whole_document_and_the_check_finds_no_fault(case: str) -> None:
    files = golden(case)
    document = parse(files.pop(UE))
    assert check(document) == []
    video = document.findall(".//{*}MCVideo-Service-Details")
    assert len(video) == SERVICES[case].count("mcvideo")
    assert len(files) == len(SERVICES[case])
    for file in files.values():
        (embedded,) = parse(file).iter(f"{{{UE_NAMESPACE}}}{UE_ROOT}")
        assert _same(embedded, document)


@BOTH
@pytest.mark.parametrize(
    ("file", "xsd"),
    [(UE, "ue-init-config.rel13.xsd"), ("mcptt-user-profile-0.xml", "mcptt-user-profile.xsd")],
)
def test_they_follow_the_schemas_of_release_13(case: str, file: str, xsd: str) -> None:
    schema(xsd).assertValid(etree.fromstring(golden(case)[file]))


def _same(one: Any, other: Any) -> bool:
    return [(e.tag, dict(e.attrib), (e.text or "").strip()) for e in one.iter()] == [
        (e.tag, dict(e.attrib), (e.text or "").strip()) for e in other.iter()
    ]

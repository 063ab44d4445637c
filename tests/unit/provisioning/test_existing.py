"""Server identity information read from an existing document, so that an operator starts from what he has."""

import msgspec
import pytest

from acmx.domain import server_identity
from acmx.domain.errors import InvalidDocument
from acmx.provisioning.document import make
from acmx.provisioning.existing import server_identity as existing
from acmx.provisioning.xml import parse, write
from support.systems.provisioning import CATALOGUES, catalogue, of_template, standards


@pytest.mark.parametrize("name", sorted(path.name for path in CATALOGUES.glob("*.toml")))
def test_what_was_written_is_read_again(name: str) -> None:
    given = catalogue(name)
    if server_identity.missing(given):
        pytest.skip("an incomplete catalogue makes no document")
    template = of_template(own_servers=True)
    root, _ = make(given, template)
    again = server_identity.read(existing(parse(write(root))))
    assert write(make(again, template)[0]) == write(root)
    kept = msgspec.to_builtins(given)
    assert {key: value for key, value in msgspec.to_builtins(again).items() if key in kept} == kept


def test_the_example_of_the_standard_is_read() -> None:
    found = existing(parse(standards("ue-init-config-example.xml").read_bytes()))
    identity = server_identity.read(found)
    assert server_identity.missing(identity) == []
    assert identity.lms == "sip:lms@mc.partner-b.example.net"
    assert identity.mcdata_server is not None
    assert identity.mcdata_server.ipv6_required


def test_a_document_with_faults_is_refused_and_secrets_stay_behind() -> None:
    with pytest.raises(InvalidDocument):
        existing(parse(b"<x/>"))
    root, _ = make(
        catalogue("metro-police.toml"), of_template(tls_tunnel_auth={"mutual": True, "key": "HUSH"})
    )
    assert b"HUSH" in write(root)
    assert "HUSH" not in str(existing(root))

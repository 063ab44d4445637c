"""Configuration files, written and read, or refused."""

import pytest

from acmx.config import (
    Oidc,
    read,
)
from acmx.domain.errors import Misconfigured

SYSTEM = "mc.police.example"
LEAST = f"""
system = "{SYSTEM}"
name = "Metropolitan Police"
[realms]
hosts = ["{SYSTEM}"]
"""


OIDC = Oidc(
    issuer="https://login.example/realms/police",
    audience="https://acm.example",
    scope="acm",
    client_id="acmx",
    roles={"acm-requester": "requester", "acm.operator": "operator"},
    automatic_clients=("night-desk",),
    ca_file="tls/provider.pem",
)


def reading(tmp_path, text, **environment):
    path = tmp_path / "config.toml"
    path.write_text(text)
    return read(path, environment)


def refused(tmp_path, text, **environment):
    with pytest.raises(Misconfigured) as raised:
        reading(tmp_path, text, **environment)
    assert str(tmp_path / "config.toml") in str(raised.value)
    return str(raised.value), {fault.field for fault in raised.value.members.get("faults", [])}

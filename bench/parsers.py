"""Every parser that reads what others wrote, as a target for fuzzing: bytes in, nothing but an AcmxError out."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec

from acmx import config
from acmx.domain import comparison, documents, identities, messages, partnership, server_identity, toml
from acmx.domain.errors import AcmxError, InvalidMessage
from acmx.domain.identities import Realms
from acmx.faces.acm1.routes import ROUTES
from acmx.flows.acm2 import arrivals
from acmx.flows.acm2.arrivals import Arrived
from acmx.flows.exchange import request_rules
from acmx.flows.house import House
from acmx.flows.policy import read_policy
from acmx.kinds import kind_named
from acmx.provisioning import existing, profile, template, ue_shape, xcap_error, xml
from acmx.provisioning.names import PROFILES
from acmx.trust import pinned
from acmx.trust.keys import SigningKey, public_key
from acmx.trust.signatures import body_digest, sign, verify

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "docs" / "examples"
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
NOW = int(AT.timestamp())
POLICE, FIRE = "mc.metro-police.example", "mc.county-fire.example"
PLACE = "01a2076b-4400-7000-8000-000000000001"
REALMS = Realms((POLICE,), ("+49",), ("+1555",))
REPLIES = (messages.Receipt, messages.Refusal, comparison.ExchangesPage, partnership.Statement)


def _identities(data: bytes) -> None:
    text = data.decode(errors="replace")
    for parse in (identities.mc_service_id, identities.functional_alias, identities.server_psi):
        with suppress(AcmxError):
            parsed = parse(text)
            assert parse(parsed.key).key == parsed.key
    with suppress(AcmxError):
        identities.mc_system_id(text)
    with suppress(AcmxError):
        identities.host_and_port(text, text)
    users = text.split("\n")
    identities.faults_in_users(users)
    assert set(REALMS.foreign(users)) <= set(users)


def _messages(data: bytes) -> None:
    house = House(FIRE, REALMS, lambda: AT)
    arrived = Arrived(POLICE, POLICE, PLACE, 1, data, body_digest(data), "")
    with suppress(AcmxError):
        message = arrivals.decode(house, arrived)
        if isinstance(message, messages.Request):
            request_rules.faults(message)
            REALMS.foreign(message.users)
            kind_named(message.kind).validate_request(message.content, InvalidMessage)
    for reply in REPLIES:
        with suppress(AcmxError):
            documents.read(data, reply, InvalidMessage)


@cache
def _signer() -> SigningKey:
    return SigningKey.generate()


def _signature(data: bytes) -> None:
    signer = _signer()
    keys = {signer.kid: public_key(signer.public_jwk)}
    value, _, body = data.decode("latin-1").partition("\n")
    with suppress(AcmxError):
        verify(value, body.encode(), keys, iss=POLICE, aud=FIRE, typ="acm-message", now=NOW)
        raise SystemError("a signature that nobody made was taken")


def _partner_file(data: bytes) -> None:
    with suppress(AcmxError):
        pinned.read_partner_file(documents.read(data, partnership.PartnerFile), NOW)
    file = partnership.PartnerFile(data.decode(errors="replace"), "e30..AA")
    with suppress(AcmxError):
        pinned.read_partner_file(file, NOW)


def _catalogue(data: bytes) -> None:
    try:
        document = toml.parse(data)
    except ValueError:
        try:
            document = documents.parse(data)
        except AcmxError:
            return
    with suppress(AcmxError):
        server_identity.missing(server_identity.read(document))


def _config(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(data)
        file.flush()
        with suppress(AcmxError):
            config.read(Path(file.name), {})


def _acm1(data: bytes) -> None:
    for struct in {row.takes for row in ROUTES if row.takes}:
        with suppress(AcmxError):
            documents.read(data, struct)


def _policy(data: bytes) -> None:
    with suppress(AcmxError):
        read_policy.read(data.decode(errors="replace"))


def _xml(data: bytes) -> None:
    try:
        root = xml.parse(data)
    except AcmxError:
        return
    ue_shape.check(root)
    xcap_error.explain(data)
    with suppress(AcmxError):
        server_identity.read(existing.server_identity(root))
    for names in PROFILES.values():
        with suppress(AcmxError):
            profile.put(names, root, profile.entry(names, FIRE, root))
            xml.write(root)


def _template(data: bytes) -> None:
    with suppress(AcmxError):
        template.read(documents.parse(data))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "identities": _identities,
    "messages": _messages,
    "signature": _signature,
    "partner-file": _partner_file,
    "catalogue": _catalogue,
    "config": _config,
    "acm1": _acm1,
    "policy": _policy,
    "xml": _xml,
    "template": _template,
}


def seeds() -> Mapping[str, list[bytes]]:
    """Good input for each target, to begin from."""
    return {name: list(_seeds(name)) for name in TARGETS}


def _seeds(target: str) -> Iterator[bytes]:  # noqa: C901
    if target == "identities":
        yield from (
            b"sip:a@mc.metro-police.example",
            b"tel:+15550100",
            b"tel:7;phone-context=+49",
            b"sip:a@[::1]:1",
        )
    elif target == "messages":
        yield from (path.read_bytes() for path in (EXAMPLES / "acm2").glob("*.json"))
    elif target == "signature":
        made = sign(_signer(), b"body", iss=FIRE, aud=POLICE, iat=NOW, typ="acm-message")
        yield f"{made}\nbody".encode()
    elif target == "partner-file":
        yield (EXAMPLES / "acm1" / "partner-file.json").read_bytes()
        yield (EXAMPLES / "acm2" / "metadata.json").read_bytes()
    elif target == "catalogue":
        yield (ROOT / "examples" / "catalogues" / "county-fire.toml").read_bytes()
        yield msgspec.json.encode({"mc_system_id": FIRE})
    elif target == "config":
        yield b'system = "mc.fire.example"\nname = "Fire"\n[realms]\nhosts = ["mc.fire.example"]\n[delivery]\n'
    elif target == "xml":
        yield json.loads((EXAMPLES / "acm1" / "documents.json").read_bytes())["xml"].encode()
        for names in PROFILES.values():
            yield f'<{names.root} xmlns="{names.namespace}"><OnNetwork/></{names.root}>'.encode()
    elif target == "template":
        yield msgspec.json.encode(
            json.loads((EXAMPLES / "acm1" / "new-template.json").read_bytes())["template"]
        )
    elif target == "acm1":
        yield from (path.read_bytes() for path in (EXAMPLES / "acm1").glob("*.json"))
    else:
        yield b'@id("a") permit (principal, action, resource) when { context.users <= 5 };'

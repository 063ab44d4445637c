"""The configuration of an ACM server: `config.toml` in its directory, and the environment over it."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import tomli_w
from msgspec import Struct

from acmx.domain.documents import convert
from acmx.domain.errors import Fault, FaultyInput, Misconfigured
from acmx.domain.identities import InvalidIdentity, Realms, host_and_port, mc_system_id
from acmx.trust.keys import write_secret

LONGEST_DAYS = 3650
LONGEST_SECONDS = 900
_PREFIX = "ACMX_"
_PLACE = re.compile(r"\{([a-z0-9_.]+)\}")
_TEMPLATE = """\
# The ACM server of one MC system. Read when it starts: restart it after a change.
# The texts in the sections below can be set in the environment instead: ACMX_ACM1_LISTEN, ACMX_ACM2_LISTEN,
# ACMX_ACM2_ADDRESS.

# The MC system ID. Partners and every stored exchange know this system by it: it does not change.
{system}

# What partners read beside it: the name of the organisation, and whom to call.
{name}
{contact}

[acm1]
# Where ACM clients connect: host:port, an IPv6 address in brackets.
{acm1.listen}

[acm2]
# Where partner systems connect, and the URL at which they reach that place from outside.
{acm2.listen}
{acm2.address}

[realms]
# Whose users are ours: the hosts of their SIP URIs (each alone, not those below it), the phone contexts of
# their local numbers, the first digits of their global numbers ("+4930"). Partners pin them.
{realms.hosts}
{realms.phone_contexts}
{realms.tel_prefixes}

[requests]
# Days until a request expires if its requester names no time, and the most that a requester may name.
{requests.expiry_days}
{requests.longest_expiry_days}

[delivery]
# Seconds: the longest between two probes of a partner that does not answer while something waits for it, and
# how long a partner has to answer a message.
{delivery.probe_seconds}
{delivery.answer_seconds}
"""


class Acm1(Struct, frozen=True, forbid_unknown_fields=True):
    """The listener for ACM clients: HOST:PORT, port 0 for any free one."""

    listen: str = "127.0.0.1:8441"


class Acm2(Struct, frozen=True, forbid_unknown_fields=True):
    """The listener for partner systems, and the URL at which they reach it."""

    listen: str = "127.0.0.1:8442"
    address: str = "https://127.0.0.1:8442"


class Requests(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a request may wait, in days."""

    expiry_days: int = 30
    longest_expiry_days: int = 366


class Delivery(Struct, frozen=True, forbid_unknown_fields=True):
    """How partners are reached, in seconds."""

    probe_seconds: float = 30.0
    answer_seconds: float = 30.0


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an ACM server must know before it starts."""

    system: str
    name: str
    contact: str = ""
    acm1: Acm1 = Acm1()
    acm2: Acm2 = Acm2()
    realms: Realms
    requests: Requests = Requests()
    delivery: Delivery = Delivery()


def read(path: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration in a TOML file, with ACMX_<SECTION>_<FIELD> of the environment in its place.

    Raises Misconfigured naming the file and every fault: field, value, rule.
    """
    try:
        document = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise Misconfigured(f"{path}: is not readable TOML: {error}") from error
    overlaid = _overlay(document, environment)
    found = list(_misshapen(document, Config))
    if not found:
        config = convert(document, Config)
        found = faults(config)
    if found:
        origin = " with ".join([str(path), *overlaid])
        raise Misconfigured(f"{origin}: {'; '.join(map(str, found))}", faults=found)
    return config


def write(path: Path, config: Config) -> None:
    """A new, durable TOML file with comments (mode 0600). Raises FaultyInput, FileExistsError, OSError."""
    if found := faults(config):
        raise FaultyInput(found)
    text = _PLACE.sub(lambda place: _line(config, place[1]), _TEMPLATE)
    write_secret(path, text.encode())


def faults(config: Config) -> list[Fault]:
    """Every value that breaks a rule."""
    return [
        *_faults_of_identity(config),
        *_faults_of_addresses(config),
        *_faults_of_days(config.requests),
        *_faults_of_delivery(config.delivery),
    ]


def endpoint(listen: str) -> tuple[str, int]:
    """Host (IPv6 without brackets) and port (0 to 65535) of `host:port` or `[v6]:port`. Raises FaultyInput."""
    host, _, port = listen.rpartition(":")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        raise FaultyInput([Fault("listen", listen, "must end in a colon and a port from 0 to 65535")])
    return _bare_host(host, listen), int(port)


def host_of(address: str) -> str:
    """Host (IPv6 without brackets) of `https://host` or `https://host:port`. Raises FaultyInput."""
    scheme, _, rest = address.partition("://")
    if scheme != "https":
        raise FaultyInput([Fault("address", address, "must begin with https://")])
    return host_and_port(rest, address)[0].strip("[]")


def _line(config: Config, path: str) -> str:
    return tomli_w.dumps({path.rpartition(".")[2]: attrgetter(path)(config)}).strip()


def _overlay(document: dict[str, Any], environment: Mapping[str, str]) -> list[str]:
    """Put the environment over the sections; the names of the variables that took part."""
    sections = [field.name for field in msgspec.structs.fields(Config) if _is_section(field.type)]
    taken = []
    for variable, value in sorted(environment.items()):
        section, _, field = variable.removeprefix(_PREFIX).lower().partition("_")
        if variable.startswith(_PREFIX) and section in sections:
            table = document.setdefault(section, {})
            if isinstance(table, dict):
                table[field] = value
                taken.append(variable)
    return taken


def _misshapen(table: dict[str, Any], kind: type[Struct], at: str = "") -> Iterator[Fault]:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for name, field in fields.items():
        if field.required and name not in table:
            yield Fault(at + name, "", "is missing")
    for name, value in table.items():
        if name not in fields:
            yield Fault(at + name, "", "is not a setting of acmx")
        elif _is_section(fields[name].type) and isinstance(value, dict):
            yield from _misshapen(value, fields[name].type, f"{name}.")
        else:
            try:
                convert(value, fields[name].type, at=at + name)
            except FaultyInput as error:
                yield from error.faults


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _faults_of_identity(config: Config) -> Iterator[Fault]:
    try:
        mc_system_id(config.system)
    except InvalidIdentity as error:
        yield error.fault("system")
    if not config.name:
        yield Fault("name", "", "must not be empty")
    for field, value in (("name", config.name), ("contact", config.contact)):
        if len(value) > 255 or not value.isprintable():
            yield Fault(field, value[:255], "must be one line of at most 255 characters")
    realms = config.realms
    if not (realms.hosts or realms.phone_contexts or realms.tel_prefixes):
        yield Fault("realms", "", "must name a host, a phone context or a prefix: nobody lives here")
    for fault in realms.faults():
        yield msgspec.structs.replace(fault, field=f"realms.{fault.field}")


def _faults_of_addresses(config: Config) -> Iterator[Fault]:
    for field, parse, value in (
        ("acm1.listen", endpoint, config.acm1.listen),
        ("acm2.listen", endpoint, config.acm2.listen),
        ("acm2.address", host_of, config.acm2.address),
    ):
        try:
            parse(value)
        except FaultyInput as error:
            yield msgspec.structs.replace(error.faults[0], field=field)


def _faults_of_days(requests: Requests) -> Iterator[Fault]:
    if not 1 <= requests.longest_expiry_days <= LONGEST_DAYS:
        rule = f"must be from 1 to {LONGEST_DAYS}"
        yield Fault("requests.longest_expiry_days", str(requests.longest_expiry_days), rule)
    elif not 1 <= requests.expiry_days <= requests.longest_expiry_days:
        rule = f"must be from 1 to longest_expiry_days, {requests.longest_expiry_days}"
        yield Fault("requests.expiry_days", str(requests.expiry_days), rule)


def _faults_of_delivery(delivery: Delivery) -> Iterator[Fault]:
    for field, value in msgspec.structs.asdict(delivery).items():
        if not 0.1 <= value <= LONGEST_SECONDS:
            yield Fault(f"delivery.{field}", str(value), f"must be from 0.1 to {LONGEST_SECONDS}")


def _bare_host(host: str, text: str) -> str:
    bare, port = host_and_port(host, text)
    if port:
        raise FaultyInput([Fault("listen", text, "must have one port")])
    return bare.strip("[]")

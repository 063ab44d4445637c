"""The configuration of an ACM server: `config.toml` in its directory, and the environment over it."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

import msgspec
import tomli_w
from msgspec import Struct

from acmx.domain.documents import convert
from acmx.domain.errors import Fault, FaultyInput, Misconfigured
from acmx.domain.identities import InvalidIdentity, Realms, host_and_port, mc_system_id
from acmx.domain.telling import BY_DEFAULT, TOLD, is_mail_address
from acmx.trust.keys import write_secret

LONGEST_DAYS = 3650
LONGEST_SECONDS = 900
_PREFIX = "ACMX_"
_URL = re.compile(r"https://[!-~]+")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
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

[notices]
# How people are told who are not looking: docs/notifications.md, also for the sections [mail] and [[webhooks]].
# The page to log on that mails and webhooks name; minutes for which what is not urgent is gathered into one mail;
# hours before its end at which a request is called to mind; hours without a review until somebody else is told, 0 for
# never.
{notices.link}
{notices.bundle_minutes}
{notices.reminder_hours}
{notices.escalation_hours}

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


class Notices(Struct, frozen=True, forbid_unknown_fields=True):
    """When people are told, and the page to log on that is named to them."""

    link: str = ""
    bundle_minutes: int = 15
    reminder_hours: tuple[int, ...] = (72, 24)
    escalation_hours: int = 0


class Mail(Struct, frozen=True, forbid_unknown_fields=True):
    """The SMTP server, and who is written to of which events; an empty `host` means no mail.

    The password comes from the environment (ACMX_MAIL_PASSWORD) or from a file. Askers and addressees are written to at
    the addresses of their accounts, reviewers at `reviewers` too, an escalation goes to `escalation` alone.
    """

    host: str = ""
    port: int = 587
    tls: Literal["none", "starttls", "tls"] = "starttls"
    user: str = ""
    password: str = ""
    password_file: str = ""
    sender: str = ""
    reviewers: tuple[str, ...] = ()
    escalation: tuple[str, ...] = ()
    asker_events: tuple[str, ...] = BY_DEFAULT["asker"]
    reviewer_events: tuple[str, ...] = BY_DEFAULT["reviewers"]


class Webhook(Struct, frozen=True, forbid_unknown_fields=True):
    """A receiver of signed notices. `secret_file` holds at least 32 bytes."""

    name: str
    url: str
    secret_file: str
    allow_http: bool = False
    asker_events: tuple[str, ...] = BY_DEFAULT["asker"]
    reviewer_events: tuple[str, ...] = BY_DEFAULT["reviewers"]


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
    notices: Notices = Notices()
    mail: Mail = Mail()
    webhooks: tuple[Webhook, ...] = ()
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
    told_by = {"mail": config.mail, "webhooks": config.webhooks}
    default = {"mail": Mail(), "webhooks": ()}
    more = {name: msgspec.to_builtins(value) for name, value in told_by.items() if value != default[name]}
    write_secret(path, (text + tomli_w.dumps(more)).encode())


def faults(config: Config) -> list[Fault]:
    """Every value that breaks a rule."""
    return [
        *_faults_of_identity(config),
        *_faults_of_addresses(config),
        *_faults_of_days(config.requests),
        *_faults_of_notices(config.notices),
        *_faults_of_mail(config),
        *_faults_of_webhooks(config.webhooks),
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


def _faults_of_notices(notices: Notices) -> Iterator[Fault]:
    if notices.link and not _URL.fullmatch(notices.link):
        yield Fault("notices.link", notices.link, "must be a URL that begins with https://, or empty")
    if not 0 <= notices.bundle_minutes <= 1440:
        yield Fault("notices.bundle_minutes", str(notices.bundle_minutes), "must be from 0 to 1440")
    longest = LONGEST_DAYS * 24
    for hours in notices.reminder_hours:
        if not 1 <= hours <= longest:
            yield Fault("notices.reminder_hours", str(hours), f"must be from 1 to {longest}")
    if not 0 <= notices.escalation_hours <= longest:
        yield Fault("notices.escalation_hours", str(notices.escalation_hours), f"must be from 0 to {longest}")


def _faults_of_mail(config: Config) -> Iterator[Fault]:
    mail = config.mail
    if not mail.host:
        if config.notices.escalation_hours and not config.webhooks:
            yield Fault("notices.escalation_hours", "", "needs [mail] or [[webhooks]]: nobody would be told")
        return
    if not 1 <= mail.port <= 65535:
        yield Fault("mail.port", str(mail.port), "must be from 1 to 65535")
    if mail.password and mail.password_file:
        yield Fault("mail.password_file", mail.password_file, "must be empty where a password is given")
    if not mail.reviewers:
        yield Fault(
            "mail.reviewers", "", "must name an address: requests to nobody in particular are told there"
        )
    if config.notices.escalation_hours and not mail.escalation:
        yield Fault("mail.escalation", "", "must name an address where notices.escalation_hours is set")
    for field, addresses in (
        ("sender", (mail.sender,)),
        ("reviewers", mail.reviewers),
        ("escalation", mail.escalation),
    ):
        for address in addresses:
            if not is_mail_address(address):
                yield Fault(f"mail.{field}", address[:255], "must be a mail address")
    yield from _faults_of_events("mail", mail)


def _faults_of_webhooks(webhooks: tuple[Webhook, ...]) -> Iterator[Fault]:
    for n, webhook in enumerate(webhooks):
        at = f"webhooks.{n}"
        if not _NAME.fullmatch(webhook.name) or webhook.name in [other.name for other in webhooks[:n]]:
            yield Fault(
                f"{at}.name", webhook.name[:64], "must be a name of a-z, 0-9, - that no other webhook has"
            )
        plain = webhook.allow_http and webhook.url.startswith("http://")
        if not _URL.fullmatch(webhook.url.replace("http://", "https://", 1) if plain else webhook.url):
            yield Fault(f"{at}.url", "", "must begin with https://, or with http:// where allow_http is true")
        yield from _faults_of_events(at, webhook)


def _faults_of_events(at: str, told: Mail | Webhook) -> Iterator[Fault]:
    for field, events, known in (
        ("asker_events", told.asker_events, TOLD["asker"]),
        ("reviewer_events", told.reviewer_events, TOLD["reviewers"]),
    ):
        for event in events:
            if event not in known:
                yield Fault(f"{at}.{field}", event[:64], f"must be one of {', '.join(known)}")


def _faults_of_delivery(delivery: Delivery) -> Iterator[Fault]:
    for field, value in msgspec.structs.asdict(delivery).items():
        if not 0.1 <= value <= LONGEST_SECONDS:
            yield Fault(f"delivery.{field}", str(value), f"must be from 0.1 to {LONGEST_SECONDS}")


def _bare_host(host: str, text: str) -> str:
    bare, port = host_and_port(host, text)
    if port:
        raise FaultyInput([Fault("listen", text, "must have one port")])
    return bare.strip("[]")

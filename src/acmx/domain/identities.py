"""Identities of 3GPP TS 23.280 clause 8.1, as text that crosses a reference point.

MC service ID, MC service group ID and functional alias are `sip:`, `sips:` or `tel:` URIs; an MC system ID is
a lower-case DNS name. Two identities are the same when their keys are: scheme and host without case, user
part with case, escapes of unreserved characters undone, URI parameters left aside.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Annotated

import msgspec
from msgspec import Meta

from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault

MAX_USERS = 10_000
MAX_LENGTH = 255
SERVER_PARAMETERS = frozenset({"lr", "transport"})

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DNS_NAME = rf"(?:{_LABEL}\.)*(?=[A-Za-z]){_LABEL}"
_USER_CHARACTER = r"[A-Za-z0-9\-_.!~*'()&=+$,;?/]"
_ESCAPE = r"%(?:[2-689A-Fa-f][0-9A-Fa-f]|7[0-9A-Ea-e])"
_VALUE_CHARACTER = r"[A-Za-z0-9\-_.!~*'()\[\]/:&+$]"

_printable = re.compile(r"[!-~]*")
_dns_name = re.compile(_DNS_NAME)
_address = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?::(?P<port>[0-9]*))?")
_user = re.compile(rf"(?:{_USER_CHARACTER}|{_ESCAPE})+")
_needless_escape = re.compile(r"%([0-9A-Fa-f]{2})")
_parameter = re.compile(rf"(?P<name>[A-Za-z0-9-]+)(?:=(?P<value>(?:{_VALUE_CHARACTER}|{_ESCAPE})+))?")
_global_number = re.compile(r"\+[0-9]{5,15}")
_local_number = re.compile(r"[0-9]{1,15}")
_number_prefix = re.compile(r"\+[0-9]{1,15}")
_secret_part = re.compile(r"^([^:]*:(?://|[^:@]*:)).*@", re.DOTALL)

# What nearly every MC service ID looks like. Two of these that differ in more than case are never the same.
_plain = re.compile(
    rf"(?ai:sips?):{_USER_CHARACTER}+@(?P<host>{_DNS_NAME})|(?ai:tel):(?P<number>\+[0-9]{{5,15}})"
)


class InvalidIdentity(FaultyInput):
    """This is no valid identity."""

    def __init__(self, value: str, rule: str) -> None:
        super().__init__([Fault("identity", shown(value), rule)])
        self.rule = rule

    def fault(self, field: str) -> Fault:
        """Return the fault under the name of the field that held the identity."""
        return msgspec.structs.replace(self.faults[0], field=field)


class Identity(msgspec.Struct, frozen=True):
    """A parsed identity; of a `tel:` URI `user` is the number and `host` the phone-context, or empty."""

    text: str
    scheme: str
    user: str
    host: str
    key: str


class Realms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the users of one MC system live: SIP hosts, phone contexts, prefixes of global telephone numbers.

    All in lower case; a host stands for itself alone, never for the hosts below it.
    """

    hosts: Annotated[
        tuple[str, ...],
        Meta(description="hosts of SIP URIs, lower case; each stands for itself, not for the hosts below it"),
    ] = ()
    phone_contexts: Annotated[
        tuple[str, ...], Meta(description="values of `;phone-context=` of local numbers")
    ] = ()
    tel_prefixes: Annotated[
        tuple[str, ...], Meta(description="first digits of global numbers, with `+`")
    ] = ()

    def foreign(self, users: Iterable[str]) -> list[str]:
        """Return the users who live elsewhere, in their order; an invalid identity lives nowhere."""
        hosts, contexts = frozenset(self.hosts), frozenset(self.phone_contexts)

        def ours(text: str) -> bool:
            if len(text) <= MAX_LENGTH and (plain := _plain.fullmatch(text)):
                host, number = plain.groups()
                return host.lower() in hosts if host else number.startswith(self.tel_prefixes)
            try:
                user = mc_service_id(text)
            except InvalidIdentity:
                return False
            if user.scheme != "tel":
                return user.host in hosts
            return user.host in contexts if user.host else user.user.startswith(self.tel_prefixes)

        return [text for text in users if not ours(text)]

    def faults(self) -> list[Fault]:
        """Return what is wrong with the declared values."""
        return [
            *_unlike(_is_lower_host, "hosts", self.hosts, "must be a host in lower case"),
            *_unlike(
                _is_phone_context,
                "phone_contexts",
                self.phone_contexts,
                "must be a DNS name in lower case, or + and 1 to 15 digits",
            ),
            *_unlike(
                _number_prefix.fullmatch, "tel_prefixes", self.tel_prefixes, "must be + and 1 to 15 digits"
            ),
        ]


def mc_service_id(text: str, parameters: frozenset[str] = frozenset()) -> Identity:
    """Parse an MC service ID (23.280 clause 8.1.2); `parameters` names the URI parameters it may carry.

    Raises InvalidIdentity.
    """
    scheme, rest = _opened(text, ("sip", "sips", "tel"))
    if scheme == "tel":
        return _telephone(text, rest, parameters)
    return _sip(text, scheme, rest, parameters)


def group_id(text: str, parameters: frozenset[str] = frozenset()) -> Identity:
    """Parse an MC service group ID (23.280 clause 8.1.3). Raises InvalidIdentity."""
    return mc_service_id(text, parameters)


def functional_alias(text: str, parameters: frozenset[str] = frozenset()) -> Identity:
    """Parse a functional alias (23.280 clause 8.1.5) that names one role. Raises InvalidIdentity."""
    alias = mc_service_id(text, parameters)
    if "%23%23%23" in alias.user:
        raise InvalidIdentity(text, "must not contain the wildcard ###: that is for searches only")
    return alias


def server_psi(text: str) -> Identity:
    """Parse the SIP URI of a server, with or without a user part. Raises InvalidIdentity."""
    scheme, rest = _opened(text, ("sip", "sips"))
    if "@" in rest:
        return _sip(text, scheme, rest, SERVER_PARAMETERS)
    return _located(text, scheme, "", rest, SERVER_PARAMETERS)


def mc_system_id(text: str) -> str:
    """Check an MC system ID (23.280 clause 8.1.4) in its form for ACM-1 and ACM-2. Raises InvalidIdentity."""
    if not _is_lower_dns_name(text):
        raise InvalidIdentity(text, "must be a DNS name in lower case")
    return text


def faults_in_users(users: Sequence[str], field: str = "users") -> list[Fault]:
    """Return what is wrong with a list of MC service IDs: its length, each invalid one, each repeated one."""
    if not users:
        return [Fault(field, "[]", "must name at least one user")]
    if len(users) > MAX_USERS:
        return [Fault(field, f"{len(users)} users", f"must name at most {MAX_USERS:,} users")]
    if _all_plain_and_different(users):
        return []
    return list(_faults_one_by_one(users, field))


def host_and_port(address: str, text: str) -> tuple[str, str]:
    """Return host (lower case) and port ("" if none) of an address that is part of `text`.

    The host is a DNS name, an IPv4 address or an IPv6 address in brackets. Raises InvalidIdentity.
    """
    parts = _address.fullmatch(address)
    host = _canonical_host(parts["host"]) if parts else ""
    if parts is None or not host:
        raise InvalidIdentity(
            text, "must have a host: a DNS name, an IPv4 address or an IPv6 address in brackets"
        )
    port: str | None = parts["port"]
    if port is None:
        return host, ""
    if not 0 < len(port) <= 5 or not 1 <= int(port) <= 65535:
        raise InvalidIdentity(text, "must have a port from 1 to 65535 after the colon, or no colon")
    return host, str(int(port))


def shown(text: str) -> str:
    """Return a value as people may see it: passwords and user information left out, cut at 255 characters."""
    text = _secret_part.sub(r"\1…@", text)
    return text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}…"


def _opened(text: str, schemes: tuple[str, ...]) -> tuple[str, str]:
    if len(text) > MAX_LENGTH:
        raise InvalidIdentity(text, f"must have at most {MAX_LENGTH} characters")
    if not _printable.fullmatch(text):
        raise InvalidIdentity(text, "must not contain spaces, control characters or characters beyond ASCII")
    if "#" in text:
        raise InvalidIdentity(text, "must not contain a raw # (write %23)")
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() not in schemes:
        raise InvalidIdentity(text, f"must begin with {': or '.join(schemes)}:")
    return scheme.lower(), rest


def _sip(text: str, scheme: str, rest: str, parameters: frozenset[str]) -> Identity:
    user, at, place = rest.partition("@")
    if not at or not user:
        raise InvalidIdentity(text, "must have a user part before the @")
    if ":" in user:
        raise InvalidIdentity(text, "must not carry a password (a : in the user part)")
    if not _user.fullmatch(user):
        raise InvalidIdentity(text, "has a character in its user part that must be escaped, or a bad escape")
    return _located(text, scheme, user, place, parameters)


def _located(text: str, scheme: str, user: str, place: str, parameters: frozenset[str]) -> Identity:
    if "?" in place:
        raise InvalidIdentity(text, "must not carry headers (a ? after the host)")
    address, *given = place.split(";")
    host, port = host_and_port(address, text)
    _read_parameters(text, given, parameters)
    at = "@" if user else ""
    colon = ":" if port else ""
    return Identity(text, scheme, user, host, f"{scheme}:{_unescaped(user)}{at}{host}{colon}{port}")


def _telephone(text: str, rest: str, parameters: frozenset[str]) -> Identity:
    number, *given = rest.split(";")
    if number.startswith("+"):
        if not _global_number.fullmatch(number):
            raise InvalidIdentity(text, "must have 5 to 15 digits after the +, and nothing else")
        _read_parameters(text, given, parameters)
        return Identity(text, "tel", number, "", f"tel:{number}")
    if not _local_number.fullmatch(number):
        raise InvalidIdentity(text, "must have a number of 1 to 15 digits")
    context = _read_parameters(text, given, parameters | {"phone-context"}).get("phone-context", "").lower()
    if not _is_phone_context(context):
        raise InvalidIdentity(
            text, "must have a + before the number, or a ;phone-context= (DNS name or + digits)"
        )
    return Identity(text, "tel", number, context, f"tel:{number};phone-context={context}")


def _read_parameters(text: str, given: list[str], allowed: frozenset[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for part in given:
        parameter = _parameter.fullmatch(part)
        if parameter is None:
            raise InvalidIdentity(text, "has a malformed URI parameter")
        name = parameter["name"].lower()
        if name not in allowed:
            raise InvalidIdentity(text, f"must not carry the URI parameter {name}")
        if name in values:
            raise InvalidIdentity(text, f"must not carry the URI parameter {name} twice")
        values[name] = parameter["value"] or ""
    return values


def _canonical_host(host: str) -> str:
    if _is_dns_name(host):
        return host.lower()
    try:
        if host.startswith("["):
            return f"[{_ipv6(host[1:-1])}]"
        return str(IPv4Address(host))
    except AddressValueError:
        return ""


def _ipv6(address: str) -> IPv6Address:
    if "%" in address:
        raise AddressValueError("a zone has no meaning in another system")
    return IPv6Address(address)


def _is_lower_host(host: str) -> bool:
    return host != "" and _canonical_host(host) == host


def _is_dns_name(name: str) -> bool:
    return len(name) <= 253 and _dns_name.fullmatch(name) is not None


def _is_lower_dns_name(name: str) -> bool:
    return _is_dns_name(name) and name == name.lower()


def _is_phone_context(context: str) -> bool:
    return _number_prefix.fullmatch(context) is not None or _is_lower_dns_name(context)


def _unescaped(user: str) -> str:
    if "%" not in user:
        return user
    return _needless_escape.sub(lambda escape: _same_character(escape[1]), user)


def _same_character(digits: str) -> str:
    character = chr(int(digits, 16))
    is_unreserved = character.isascii() and (character.isalnum() or character in "-_.!~*'()")
    return character if is_unreserved else f"%{digits.upper()}"


def _all_plain_and_different(users: Sequence[str]) -> bool:
    return (
        max(map(len, users)) <= MAX_LENGTH
        and all(map(_plain.fullmatch, users))
        and len(set(map(str.lower, users))) == len(users)
    )


def _faults_one_by_one(users: Sequence[str], field: str) -> Iterator[Fault]:
    first_at: dict[str, int] = {}
    for index, text in enumerate(users):
        place = f"{field}[{index}]"
        try:
            key = mc_service_id(text).key
        except InvalidIdentity as invalid:
            yield invalid.fault(place)
            continue
        first = first_at.setdefault(key, index)
        if first != index:
            yield Fault(place, shown(text), f"is the same user as {field}[{first}]")


def _unlike(
    is_valid: Callable[[str], object], field: str, values: Sequence[str], rule: str
) -> Iterator[Fault]:
    for index, value in enumerate(values):
        if not is_valid(value):
            yield Fault(f"{field}[{index}]", shown(value), rule)

"""The rules for text: each returns what the text must be, or nothing."""

import re
from collections.abc import Callable

from acmx.domain.identities import InvalidIdentity, host_and_port, mc_system_id, server_psi

Rule = Callable[[str], str]

_url_characters = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")
_https_url = re.compile(r"(?i:https)://(?P<authority>[^/?#]*)[^#]*(?P<fragment>#.*)?")
_plmn = re.compile(r"[0-9]{5,6}")
_uri_with_scheme = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_percent = re.compile(r"%(?![0-9A-Fa-f]{2})")
_language_tag = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


def line(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        return "must be text without control characters, and without spaces at its ends"
    return ""


def https_url(text: str) -> str:
    if not _url_characters.fullmatch(text):
        return "must be a URL: no spaces, nothing beyond ASCII, % only before two hexadecimal digits"
    url = _https_url.fullmatch(text)
    if url is None:
        return "must be an https URL"
    if "@" in url["authority"]:
        return "must not carry a user name or password"
    if url["fragment"] is not None:
        return "must not carry a fragment (#)"
    return as_parsed(lambda text: host_and_port(url["authority"], text))(text)


def xcap_root(text: str) -> str:
    return "must not carry a query (?): paths are appended to it" if "?" in text else https_url(text)


def as_parsed(parse: Callable[[str], object]) -> Rule:
    def rule(text: str) -> str:
        try:
            parse(text)
        except InvalidIdentity as invalid:
            return invalid.rule
        return ""

    return rule


def server_uri(text: str) -> str:
    scheme = text.partition(":")[0].lower()
    if scheme == "https":
        return https_url(text)
    if scheme in {"sip", "sips"}:
        return as_parsed(server_psi)(text)
    return "must be a sip:, sips: or https: URI"


def system_id(text: str) -> str:
    return server_uri(text) if ":" in text else as_parsed(mc_system_id)(text)


def plmn(text: str) -> str:
    return "" if _plmn.fullmatch(text) else "must be 5 or 6 digits (MCC and MNC)"


def language(text: str) -> str:
    return "" if _language_tag.fullmatch(text) else "must be a language tag, such as en or de-AT"


def uri(text: str) -> str:
    if not _uri_with_scheme.fullmatch(text) or _percent.search(text):
        return "must be a URI: a scheme, a colon, then nothing beyond ASCII and no spaces"
    return ""


def octet(text: str) -> str:
    """The schema's unsignedByte."""
    return (
        "" if text.isascii() and text.isdigit() and int(text[:9]) <= 255 else "must be a number from 0 to 255"
    )


def boolean(text: str) -> str:
    return "" if text in ("true", "false", "1", "0") else "must be true or false"


def digits(most: int) -> Rule:
    def rule(text: str) -> str:
        fits = text.isascii() and text.isdigit() and len(text) <= most
        return "" if fits else f"must be at most {most} digits"

    return rule

"""`acmx login`, `acmx logout`: log on at an ACM server and keep the session in a profile; end it."""

import os
import re
import sys
import webbrowser
from typing import Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.types import ExistingFile

from acmx.cli.failures import WrongUsageError, note
from acmx.cli.options import DEFAULTS, Options
from acmx.cli.people import code_flow, passwords
from acmx.cli.session import profiles
from acmx.cli.session.profiles import Grant, Profile
from acmx.cli.session.provider import Provider
from acmx.cli.session.renewal import client_of, ends_at
from acmx.cli.terminal import ask, is_interactive, plain, time
from acmx.client import Client, certificate
from acmx.domain.acm1 import Session
from acmx.domain.errors import AcmxError, UnknownCertificate

_DESKTOP = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def login(
    url: Annotated[str, Parameter(help="The ACM server: https://HOST:PORT.")],
    /,
    *,
    account: Annotated[
        str | None, Parameter(help="A local account; default: the OpenID provider that the server names.")
    ] = None,
    pinned: Annotated[
        ExistingFile | None, Parameter(name="--certificate", help="The server's own certificate (PEM).")
    ] = None,
    authority: Annotated[
        ExistingFile | None,
        Parameter(
            name="--provider-ca",
            help="Who vouches for the OpenID provider (PEM); default: the system's store.",
        ),
    ] = None,
    options: Options = DEFAULTS,
) -> None:
    """Log on at the ACM server of your MC system; later commands use this log-on.

    With an OpenID provider you log on in the browser: it is opened, or its address is printed, to be opened on this
    machine. With --account the password comes from ACMX_PASSWORD or is asked for. A certificate that is not trusted
    is shown by its SHA-256, to be compared with what the people who run the server say, and is kept if you agree.
    The profile's name is that of --as, or ACCOUNT@SYSTEM, or the MC service ID without its scheme.

    For example:

        acmx login https://acm.mc.fire.example:8441
        acmx login https://acm.mc.fire.example:8441 --account alice
    """
    pem = certificate.read(pinned) if pinned else _agreed(url)
    if account is None:
        session, grant = _by_provider(url, pem, certificate.read(authority) if authority else None)
        name = re.sub(r"[^A-Za-z0-9._@-]", "", session.mc_service_id.partition(":")[2])
    else:
        password = passwords.known(account)
        with Client(url, certificate=pem) as client:
            session, grant = client.log_on(account, password), None
        name = f"{session.account}@{session.system}"
    profile = Profile(options.profile or name, url, session, pem, grant)
    profiles.save(profile)
    told = msgspec.to_builtins(session)
    del told["token"]

    def draw() -> None:
        roles = ", ".join(session.roles)
        print(plain(f"{session.mc_service_id} is logged on at {session.system} as {roles}."))
        print(plain(f"Profile {profile.name}, until {time(session.ends_at)}"))

    options.show(told, draw)


def logout(*, options: Options = DEFAULTS) -> None:
    """End the log-on of a profile and forget it. A session of the browser at an OpenID provider goes on.

    For example:

        acmx logout
    """
    profile = profiles.load(options.profile)
    try:
        _end(profile)
    except AcmxError as error:
        note(f"Forgotten here only: {error}")
    profiles.forget(profile)
    options.show({"profile": profile.name}, lambda: print(plain(f"Profile {profile.name} is logged off.")))


def _by_provider(url: str, pem: str | None, authority: str | None) -> tuple[Session, Grant]:
    with Client(url, certificate=pem) as client:
        told = client.sign_in().oidc
    if told is None:
        raise WrongUsageError("There are local accounts alone here: --account NAME")
    provider = Provider(told.issuer, authority)
    tokens = code_flow.log_on(provider, told, _open)
    with Client(url, tokens.access_token, pem) as client:
        standing = client.standing()
    session = Session(
        token=tokens.access_token,
        account=standing.account,
        mc_service_id=standing.mc_service_id,
        roles=standing.roles,
        system=standing.system,
        ends_at=ends_at(tokens),
    )
    return session, Grant(told.issuer, told.client_id, tokens.refresh_token, told.resource, authority)


def _open(address: str) -> None:
    note(f"Log on in a browser on this machine:\n{address}")
    if sys.platform == "darwin" or any(os.environ.get(variable) for variable in _DESKTOP):
        webbrowser.open(address)


def _end(profile: Profile) -> None:
    grant = profile.grant
    if grant is None:
        with client_of(profile) as client:
            client.log_off()
    elif grant.refresh_token is not None:
        Provider(grant.issuer, grant.authority).revoke(grant.refresh_token, grant.client_id)


def _agreed(url: str) -> str | None:
    """The certificate to be pinned, where it is not trusted anyway and the user agrees."""
    shown = certificate.shown_at(url)
    if shown.trusted:
        return None
    spaced = ":".join(shown.sha256[i : i + 2].upper() for i in range(0, 64, 2))
    if not is_interactive():
        raise UnknownCertificate(f"SHA-256 {spaced}; name the right one with --certificate FILE.")
    note(f"The certificate of {url} is not known here. Its SHA-256 is\n{spaced[:47]}\n{spaced[48:]}")
    if not ask("Is this what the people who run the server say?"):
        raise UnknownCertificate("You did not agree.")
    return shown.pem

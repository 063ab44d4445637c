"""`acmx login`: log on at an ACM server and keep the session in a profile."""

from typing import Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.types import ExistingFile

from acmx.cli import passwords, profiles
from acmx.cli.failures import note
from acmx.cli.options import DEFAULTS, Options
from acmx.cli.terminal import ask, is_interactive, plain, time
from acmx.client import Client, certificate
from acmx.domain.errors import UnknownCertificate


def login(
    url: Annotated[str, Parameter(help="The ACM server: https://HOST:PORT.")],
    /,
    *,
    account: Annotated[str, Parameter(help="The account's name.")],
    pinned: Annotated[
        ExistingFile | None, Parameter(name="--certificate", help="The server's own certificate (PEM).")
    ] = None,
    options: Options = DEFAULTS,
) -> None:
    """Log on at the ACM server of your MC system; later commands use this log-on.

    The password comes from ACMX_PASSWORD or is asked for. A certificate that is not trusted is shown by its
    SHA-256, to be compared with what the people who run the server say, and is kept if you agree. The profile's
    name is that of --as, or ACCOUNT@SYSTEM.

    For example:

        acmx login https://acm.mc.fire.example:8441 --account alice
    """
    pem = certificate.read(pinned) if pinned else _agreed(url)
    password = passwords.known(account)
    with Client(url, certificate=pem) as client:
        session = client.log_on(account, password)
    name = options.profile or f"{session.account}@{session.system}"
    profiles.save(profiles.Profile(name, url, session, pem))
    told = msgspec.to_builtins(session)
    del told["token"]

    def draw() -> None:
        roles = ", ".join(session.roles)
        print(plain(f"{session.mc_service_id} is logged on at {session.system} as {roles}."))
        print(plain(f"Profile {name}, until {time(session.ends_at)}"))

    options.show(told, draw)


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

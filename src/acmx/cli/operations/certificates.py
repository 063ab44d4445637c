"""`acmx certificates`: the TLS certificates in a server's directory."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.types import ExistingDirectory, ExistingFile

from acmx.cli.failures import WrongUsageError
from acmx.cli.options import Json
from acmx.cli.terminal import cell, out, print_json, table

if TYPE_CHECKING:
    from acmx.bootstrap.keep_certificates import Certificates


def list_all(directory: ExistingDirectory, /, *, json: Json = False) -> None:
    """List the certificates, and the partners that have not confirmed the next one yet.

    For example:

        acmx certificates list /var/lib/acmx
    """
    from acmx.bootstrap.keep_certificates import certificates  # noqa: PLC0415

    _show(certificates(directory), json=json)


def publish_next(
    directory: ExistingDirectory,
    /,
    *,
    certificate: Annotated[ExistingFile | None, Parameter(help="PEM; default: a self-signed one.")] = None,
    key: Annotated[ExistingFile | None, Parameter(help="Its private key, PEM.")] = None,
    json: Json = False,
) -> None:
    """Publish the certificate that is to follow that of ACM-2, for people at each partner to confirm.

    For example:

        acmx certificates next /var/lib/acmx
    """
    from acmx.bootstrap.keep_certificates import publish_next as carry_out  # noqa: PLC0415

    if (certificate is None) != (key is None):
        raise WrongUsageError("--certificate and --key go together")
    given = (certificate, key) if certificate and key else None
    _show(carry_out(directory, given), json=json)


def switch(
    directory: ExistingDirectory,
    /,
    *,
    anyway: Annotated[
        bool, Parameter(help="Also where a partner has not confirmed it: restart the server then.")
    ] = False,
    json: Json = False,
) -> None:
    """Show the next certificate from now on, once every partner has confirmed it.

    A server that runs follows within seconds. For example:

        acmx certificates switch /var/lib/acmx
    """
    from acmx.bootstrap.keep_certificates import switch as carry_out  # noqa: PLC0415

    _show(carry_out(directory, anyway=anyway), json=json)


def _show(found: "Certificates", *, json: bool) -> None:
    if json:
        print_json(found)
        return
    listed = table("use", "SHA-256", "ends", "waits for")
    for one in found.items:
        listed.add_row(
            cell(one.use),
            cell(f"{one.fingerprint}\n{one.spoken}"),
            cell(one.ends_at),
            cell("\n".join(one.waits_for)),
        )
    out().print(listed)

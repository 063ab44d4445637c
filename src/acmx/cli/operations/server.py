"""The commands on a server's own directory: set it up, run it, save it."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import ExistingDirectory, ExistingFile

from acmx.cli import findings
from acmx.cli.failures import note
from acmx.cli.options import Json
from acmx.cli.people import passwords
from acmx.cli.terminal import busy, print_json


def init(
    directory: Path,
    /,
    *,
    system: Annotated[str, Parameter(help="The MC system ID: a DNS name in lower case.")],
    name: Annotated[str | None, Parameter(help="The name for people; default: the MC system ID.")] = None,
    contact: Annotated[str, Parameter(help="How partners reach the people who run it.")] = "",
    account: Annotated[
        str, Parameter(help="The first account, which has every role.", show_default=True)
    ] = "admin",
    mc_service_id: Annotated[
        str | None, Parameter(help="Its MC service ID; default: sip:ACCOUNT@SYSTEM.")
    ] = None,
    database: Annotated[
        str, Parameter(help="postgresql://... for a PostgreSQL database of its own; default: a file.")
    ] = "",
    acm1: Annotated[str, Parameter(help="HOST:PORT for ACM clients.", show_default=True)] = "127.0.0.1:8441",
    acm2: Annotated[
        str, Parameter(help="HOST:PORT for partner servers.", show_default=True)
    ] = "0.0.0.0:8442",
    acm2_address: Annotated[
        str | None, Parameter(help="The URL under which partners find it; default: https://SYSTEM:PORT.")
    ] = None,
    user_host: Annotated[
        list[str] | None,
        Parameter(consume_multiple=True, help="SIP hosts of the system's users; default: the MC system ID."),
    ] = None,
    phone_context: Annotated[
        list[str] | None, Parameter(consume_multiple=True, help="Phone contexts of its users.")
    ] = None,
    tel_prefix: Annotated[
        list[str] | None, Parameter(consume_multiple=True, help="Prefixes of its users' telephone numbers.")
    ] = None,
    json: Json = False,
) -> None:
    """Set up the ACM server of an MC system: configuration, keys, certificates, database, first account.

    The password of the first account comes from ACMX_PASSWORD or is asked for; else one is made up and shown.

    For example:

        acmx init /var/lib/acmx --system mc.fire.example --user-host mc.fire.example
    """
    from acmx.bootstrap.create import Settings, create  # noqa: PLC0415

    password = passwords.new(account)
    settings = Settings(
        system=system,
        name=name or system,
        contact=contact,
        database=database,
        account=account,
        mc_service_id=mc_service_id or f"sip:{account}@{system}",
        password=password.text,
        acm1=acm1,
        acm2=acm2,
        acm2_address=acm2_address or f"https://{system}:{acm2.rpartition(':')[2]}",
        hosts=tuple(user_host or (system,)),
        phone_contexts=tuple(phone_context or ()),
        tel_prefixes=tuple(tel_prefix or ()),
    )
    with busy("Setting up"):
        create(directory, settings)
    password.tell(account)
    if json:
        print_json(
            {"directory": str(directory), "system": system, "account": account, "acm1": f"https://{acm1}"}
        )
    else:
        print(f"{directory} holds the ACM server of {system}. Next:")
        print(f"  acmx serve {directory}")
        print(
            f"  acmx login https://{acm1} --account {account} --certificate {directory / 'tls' / 'acm1.pem'}"
        )


def serve(directory: ExistingDirectory, /) -> None:
    """Run the ACM server of a directory until it is told to stop.

    For example:

        acmx serve /var/lib/acmx
    """
    from acmx.bootstrap.serve import serve as run  # noqa: PLC0415

    run(directory)


def migrate(directory: ExistingDirectory, /, *, json: Json = False) -> None:
    """Bring the database to the schema of this acmx, after an upgrade. Stop the server and back up first.

    For example:

        acmx migrate /var/lib/acmx
    """
    from acmx.bootstrap.migrate import migrate as bring_up  # noqa: PLC0415

    with busy("Migrating"):
        before, after = bring_up(directory)
    if json:
        print_json({"directory": str(directory), "before": before, "after": after})
    elif before == after:
        note(f"The schema is {after}: there is nothing to do.")
    else:
        note(f"The schema was {before} and is {after}.")


def backup(directory: ExistingDirectory, file: Path, /, *, json: Json = False) -> None:
    """Save everything that a server's directory holds, also while the server runs.

    The file holds private keys: keep it as safe as the directory.

    For example:

        acmx backup /var/lib/acmx acmx-monday.backup
    """
    from acmx.bootstrap.backup import backup as save  # noqa: PLC0415

    with busy("Saving"):
        save(directory, file)
    _say_where("saved to", directory, file, json=json)


def restore(file: ExistingFile, directory: Path, /, *, json: Json = False) -> None:
    """Set up a directory again from what was saved.

    For example:

        acmx restore acmx-monday.backup /var/lib/acmx
    """
    from acmx.bootstrap.backup import restore as bring_back  # noqa: PLC0415

    with busy("Restoring"):
        bring_back(file, directory)
    _say_where("restored from", directory, file, json=json)


def doctor(directory: ExistingDirectory, /, *, json: Json = False) -> int:
    """Look into a server's directory and say in plain words what is well and what is not, also while it runs.

    Ends with status 1 if something failed. For example:

        acmx doctor /var/lib/acmx
    """
    from acmx.bootstrap.doctor.doctor import examine  # noqa: PLC0415

    with busy("Examining"):
        found = examine(directory)
    if json:
        print_json(found)
    else:
        findings.draw(found)
    return findings.status(found)


def demo(*, once: Annotated[bool, Parameter(help="Stop when all steps are done.")] = False) -> int:
    """Two MC systems on this machine go through the 18 steps, then stay up to be tried.

    For example:

        acmx demo --once
    """
    from acmx.cli.demo import demo as walk  # noqa: PLC0415

    return walk(once)


def _say_where(done: str, directory: Path, file: Path, *, json: bool) -> None:
    if json:
        print_json({"directory": str(directory), "file": str(file)})
    else:
        note(f"{directory} {done} {file}")

"""`acmx provision`: an answer becomes the documents that devices load; any such document is checked."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.types import ExistingFile

from acmx.cli.failures import DONE, FAILED, WrongUsageError, note
from acmx.cli.files import write_all
from acmx.cli.options import DEFAULTS, Options, Users
from acmx.cli.provisioning import push
from acmx.cli.terminal import busy, cell, facts, out, people, table
from acmx.domain.acm1 import Documents, Mode, NewProvisioning
from acmx.domain.errors import AcmxError, FaultyInput, InvalidDocument
from acmx.domain.faults import Fault
from acmx.domain.identities import faults_in_users
from acmx.domain.user_lists import read_users
from acmx.provisioning.files import files
from acmx.provisioning.ue_shape import check
from acmx.provisioning.xml import parse


class Checked(msgspec.Struct):
    """What was found in a document."""

    file: str
    faults: list[Fault]


def provision(
    id_: Annotated[
        str | None, Parameter(name="ID", help="The exchange, as `acmx requests` lists it.")
    ] = None,
    /,
    *,
    out_: Annotated[
        Path | None, Parameter(name="--out", help="Write the documents into this directory.")
    ] = None,
    rel13: Annotated[
        bool, Parameter(name="--rel13", help="Leave out what readers of Release 13 do not know.")
    ] = False,
    push_: Annotated[
        bool, Parameter(name="--push", help="Put the documents on the own CMS, by XCAP.")
    ] = False,
    preview: Annotated[
        bool, Parameter(name="--preview", help="Say what --push would change, and write nothing.")
    ] = False,
    remove: Annotated[
        bool, Parameter(name="--remove", help="Take the entries and the document out of the CMS again.")
    ] = False,
    status: Annotated[
        bool, Parameter(name="--status", help="Say what became of the last of these jobs.")
    ] = False,
    cancel: Annotated[
        bool, Parameter(name="--cancel", help="End the job: what is on its way ends, the rest is not begun.")
    ] = False,
    watch: Annotated[
        bool, Parameter(name="--watch", help="Wait until the job has ended; Ctrl-C leaves it running.")
    ] = False,
    users: Annotated[
        ExistingFile | None,
        Parameter(help="For whom, where the partner gave unasked: a file of MC service IDs, CSV or text."),
    ] = None,
    user: Users = None,
    check_: Annotated[
        ExistingFile | None,
        Parameter(name="--check", help="Check a UE initial configuration document, of any vendor."),
    ] = None,
    options: Options = DEFAULTS,
) -> int:
    """Make the documents for the approved users of an exchange: the partner's MCS UE initial configuration
    document, and for each user and MC service the user profile migration entry.

    With --push the server puts them on the own CMS, profiles first: the exit status is 0 once all is written or
    unchanged, 3 while the job goes on, 1 where something is not written. --preview always waits.

    What a partner gave unasked is for the own users whom you name: --users FILE, or --user URI.

    A second run writes the same bytes. What the partner's answer does not carry comes from the template of the
    partner: acmx template show PARTNER. With --check, name every fault of a document by line, element and rule.

    For example:

        acmx provision 01a3c5e7-9b2d-7f46-8a1b-3c5d7e9f1b2d --out devices

        acmx provision 01a3c5e7-9b2d-7f46-8a1b-3c5d7e9f1b2d --push --watch

        acmx provision 01a3c5e7-9b2d-7f46-8a1b-3c5d7e9f1b2d --push --users officers.csv

        acmx provision --check ue-init-config.xml
    """
    modes: dict[Mode, bool] = {"push": push_, "preview": preview, "remove": remove}
    asked = [check_ is not None, out_ is not None, *modes.values(), status, cancel]
    if sum(asked) != 1 or (id_ is None) is (check_ is None):
        raise WrongUsageError(
            "Name an exchange and one of --out DIR, --push, --preview, --remove, --status, --cancel; or --check FILE."
        )
    if check_ is not None:
        return _check(check_, options)
    named = (*(read_users(users.read_bytes(), users.name) if users else ()), *(user or ()))
    if named and not (out_ or push_ or preview):
        raise WrongUsageError("Users are named with --out, --push and --preview.")
    if id_ is not None and out_ is not None:
        return _make(id_, out_, named, options, rel13=rel13)
    for mode, wanted in modes.items():
        if id_ is not None and wanted:
            new = NewProvisioning(mode, rel13, named)
            return push.start(id_, new, options, watch=watch or preview)
    if cancel:
        return push.cancel(id_ or "", options)
    return push.status(id_ or "", options, watch=watch)


def _make(id_: str, folder: Path, named: tuple[str, ...], options: Options, *, rel13: bool) -> int:
    with options.client() as client:
        documents = _for(client.documents(id_, rel13=rel13), named)
    with busy(f"writing the documents of {people(len(documents.users))}"):
        count = _write(documents, folder)
    options.show(documents, lambda: _draw(documents, folder, count))
    return DONE


def _for(documents: Documents, named: tuple[str, ...]) -> Documents:
    """Whose documents they are: known by the partner's answer, or named here. Raises FaultyInput."""
    if documents.users and named:
        raise FaultyInput([Fault("users", f"{len(named)} users", "are known already: must not be named")])
    if documents.users:
        return documents
    if faults := faults_in_users(named):
        raise FaultyInput(faults)
    return msgspec.structs.replace(documents, users=list(named))


def _check(file: Path, options: Options) -> int:
    try:
        faults = check(parse(file.read_bytes()))
    except InvalidDocument as error:
        faults = error.faults

    def draw() -> None:
        for fault in faults:
            out().print(cell(f"{file}: {fault}"), soft_wrap=True)
        if not faults:
            out().print(cell(f"{file}: no fault"))

    options.show(Checked(str(file), faults), draw)
    return FAILED if faults else 0


def _write(documents: Documents, folder: Path) -> int:
    """How many files were written; each is whole or not there."""
    made = [(folder / place, content) for place, content in files(documents)]
    try:
        for home in {path.parent for path, _ in made}:
            home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AcmxError(f"{error.filename} cannot be made: {error.strerror}") from None
    write_all(made)
    return len(made)


def _draw(documents: Documents, folder: Path, count: int) -> None:
    out().print(
        facts(
            {
                "partner": documents.partner,
                "users": people(len(documents.users)),
                "services": ", ".join(entry.service for entry in documents.entries),
                "catalogue": f"version {documents.catalogue}",
                "template": f"version {documents.template}" if documents.template else "defaults only",
            }
        )
    )
    sources = table("value", "from")
    for key, source in documents.sources.items():
        sources.add_row(cell(key), cell(source))
    out().print(sources)
    note(f"{count:,} files written to {folder}.")

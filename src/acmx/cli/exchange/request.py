"""`acmx request`: step 1, ask a partner MC system."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import ExistingFile

from acmx.cli.exchange.submitting import Submitting
from acmx.cli.failures import WrongUsageError
from acmx.cli.options import DEFAULTS, Options, Users
from acmx.domain.user_lists import read_users


def server_identity(
    *,
    asked: Submitting,
    users: Annotated[
        ExistingFile | None,
        Parameter(help="A file with MC service IDs: CSV with a column mc_service_id, or text."),
    ] = None,
    user: Users = None,
    options: Options = DEFAULTS,
) -> int:
    """Ask a partner MC system for its application plane server identities, so that users can migrate there.

    Times are ISO 8601; without an offset they are local. With --wait the exit status is 1 if nobody was approved.

    For example:

        acmx request server-identity --partner mc.fire.example --users officers.csv --purpose "Flood" --wait
    """
    return asked.submit("server-identity", options, _users(users, user or ()))


def _users(file: Path | None, named: Sequence[str]) -> tuple[str, ...]:
    if not file and not named:
        raise WrongUsageError("Name the users: --users FILE, or --user URI.")
    listed = read_users(file.read_bytes(), file.name) if file else ()
    return (*listed, *named)

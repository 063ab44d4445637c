"""`acmx request`: step 1, ask a partner MC system."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import ExistingFile

from acmx.cli.failures import WrongUsageError
from acmx.cli.options import DEFAULTS, Moment, Options, Users
from acmx.cli.submitting import submit
from acmx.client.users import read_users
from acmx.domain.acm1 import Service, Submission
from acmx.domain.messages import Addressee


def server_identity(
    *,
    partner: Annotated[str, Parameter(help="The partner's MC system ID.")],
    purpose: Annotated[str, Parameter(help="What for; the partner sees it.")],
    users: Annotated[
        ExistingFile | None,
        Parameter(help="A file with MC service IDs: CSV with a column mc_service_id, or text."),
    ] = None,
    user: Users = None,
    reference: Annotated[str | None, Parameter(help="The agreement or incident.")] = None,
    service: Annotated[
        list[Service] | None, Parameter(consume_multiple=True, help="The MC services wanted; default: all.")
    ] = None,
    urgent: bool = False,
    to: Annotated[
        str | None, Parameter(help="Who shall decide: an MC service ID or functional alias.")
    ] = None,
    valid_from: Moment = None,
    valid_until: Moment = None,
    expires: Annotated[Moment, Parameter(help="Until when the partner may decide; default: 30 days.")] = None,
    wait: Annotated[
        bool, Parameter(help="Wait for the answer and fetch it; Ctrl-C leaves the request alone.")
    ] = False,
    options: Options = DEFAULTS,
) -> int:
    """Ask a partner MC system for its application plane server identities, so that users can migrate there.

    Times are ISO 8601; without an offset they are local. With --wait the exit status is 1 if nobody was approved.

    For example:

        acmx request server-identity --partner mc.fire.example --users officers.csv --purpose "Flood" --wait
    """
    submission = Submission(
        kind="server-identity",
        partner=partner,
        users=_users(users, user or ()),
        purpose=purpose,
        reference=reference,
        addressee=Addressee(mc_service_id=to) if to else None,
        urgency="urgent" if urgent else "normal",
        valid_from=valid_from,
        valid_until=valid_until,
        expires_at=expires,
        content={"services": service} if service else {},
    )
    return submit(submission, options, wait=wait)


def _users(file: Path | None, named: Sequence[str]) -> tuple[str, ...]:
    if not file and not named:
        raise WrongUsageError("Name the users: --users FILE, or --user URI.")
    listed = read_users(file.read_bytes(), file.name) if file else ()
    return (*listed, *named)

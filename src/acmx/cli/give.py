"""`acmx give`: hand the own configuration over to a partner MC system, unasked (R-5.16.4-005)."""

from typing import Annotated

from cyclopts import Parameter

from acmx.cli.options import DEFAULTS, Moment, Options
from acmx.cli.submitting import submit
from acmx.domain.acm1 import Service, Submission
from acmx.domain.messages import Addressee


def server_identity(
    *,
    partner: Annotated[str, Parameter(help="The partner's MC system ID.")],
    purpose: Annotated[str, Parameter(help="What for; the partner sees it.")],
    reference: Annotated[str | None, Parameter(help="The agreement or incident.")] = None,
    service: Annotated[
        list[Service] | None,
        Parameter(consume_multiple=True, help="For which MC services; default: all that are offered."),
    ] = None,
    urgent: bool = False,
    to: Annotated[
        str | None, Parameter(help="Who shall decide there: an MC service ID or functional alias.")
    ] = None,
    valid_from: Moment = None,
    valid_until: Moment = None,
    expires: Annotated[Moment, Parameter(help="Until when the partner may decide; default: 30 days.")] = None,
    wait: Annotated[bool, Parameter(help="Wait for the answer; Ctrl-C leaves what was sent alone.")] = False,
    options: Options = DEFAULTS,
) -> int:
    """Give a partner MC system our server identities without being asked, so that its users can migrate here.

    What is given is the current version (acmx identities show); the partner accepts or declines it whole, and names
    its users itself. Times are ISO 8601; without an offset they are local. With --wait the exit status is 1 if it
    was not accepted.

    For example:

        acmx give server-identity --partner mc.police.example --purpose "Agreement 2026-17" --service mcptt mcdata
    """
    submission = Submission(
        kind="server-identity-provision",
        partner=partner,
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

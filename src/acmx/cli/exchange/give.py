"""`acmx give`: hand the own configuration over to a partner MC system, unasked (R-5.16.4-005)."""

from acmx.cli.exchange.submitting import Submitting
from acmx.cli.options import DEFAULTS, Options


def server_identity(*, given: Submitting, options: Options = DEFAULTS) -> int:
    """Give a partner MC system our server identities without being asked, so that its users can migrate here.

    What is given is the current version (acmx identities show); the partner accepts or declines it whole, and names
    its users itself. Times are ISO 8601; without an offset they are local. With --wait the exit status is 1 if it
    was not accepted.

    For example:

        acmx give server-identity --partner mc.police.example --purpose "Agreement 2026-17" --service mcptt mcdata
    """
    return given.submit("server-identity-provision", options)

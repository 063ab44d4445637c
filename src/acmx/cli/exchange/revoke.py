"""`acmx revoke`: take back what was approved."""

from typing import Annotated

from cyclopts import Parameter

from acmx.cli.options import DEFAULTS, Id, Options, Users
from acmx.cli.terminal import people, plain
from acmx.domain.acm1 import RevocationInput, Revoked


def revoke(
    id_: Id,
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; the partner sees it.")],
    user: Users = None,
    options: Options = DEFAULTS,
) -> None:
    """Take an approval back, for everybody or for the users of --user. One person is enough for that.

    The partner is told, and takes the entries of these users out of its own CMS.

    For example:

        acmx revoke 01a3c5e7-9b2d-7f46-8a1b-3c5d7e9f1b2d --reason "The exercise is over"
    """
    given = RevocationInput(reason, tuple(user) if user else None)
    with options.client() as client:
        revoked = client.revoke(id_, given)
    options.show(revoked, lambda: _draw(revoked))


def _draw(revoked: Revoked) -> None:
    left = (
        f"{people(revoked.approved)} approved still" if revoked.approved else f"the grant is {revoked.grant}"
    )
    print(plain(f"{revoked.id}: taken back for {people(revoked.revoked)}, {left}."))

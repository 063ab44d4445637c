"""`acmx keys`: the keys that sign for this MC system. They stay in the server's directory."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.types import ExistingDirectory
from cyclopts.validators import Number

from acmx.cli.failures import note
from acmx.cli.options import Json
from acmx.cli.terminal import cell, out, print_json, table

if TYPE_CHECKING:
    from acmx.bootstrap.keep_keys import Keys


def list_all(directory: ExistingDirectory, /, *, json: Json = False) -> None:
    """List the keys, newest first, with the partners for whom each signs.

    For example:

        acmx keys list /var/lib/acmx
    """
    from acmx.bootstrap.keep_keys import keys  # noqa: PLC0415

    _show(keys(directory), json=json)


def rotate(
    directory: ExistingDirectory,
    /,
    *,
    overlap_days: Annotated[
        int,
        Parameter(
            help="Days until the old key ends, at most 3,650.",
            validator=Number(gte=1, lte=3650),
            show_default=True,
        ),
    ] = 30,
    json: Json = False,
) -> None:
    """Make a new key. The old one stays until its end, and for a partner that has not fetched the new one.

    A server that runs follows within seconds. For example:

        acmx keys rotate /var/lib/acmx --overlap-days 30
    """
    from acmx.bootstrap.keep_keys import rotate as carry_out  # noqa: PLC0415

    _show(carry_out(directory, timedelta(days=overlap_days)), json=json)


def revoke(
    directory: ExistingDirectory,
    kid: Annotated[str, Parameter(name="KID", help="As `acmx keys list` shows it.")],
    /,
    *,
    json: Json = False,
) -> None:
    """End a key at once and remove it; where it was the newest, a new one is made.

    A partner that has no other key of this system must be sent the partner file anew. For example:

        acmx keys revoke /var/lib/acmx kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
    """
    from acmx.bootstrap.keep_keys import revoke as carry_out  # noqa: PLC0415

    _show(carry_out(directory, kid), json=json)


def _show(found: "Keys", *, json: bool) -> None:
    if json:
        print_json(found)
        return
    listed = table("key", "ends", "signs for")
    for key in found.items:
        listed.add_row(
            cell(f"{key.kid}\n{key.spoken}"), cell(key.ends_at or ""), cell("\n".join(key.signs_for))
        )
    out().print(listed)
    for partner in found.cut_off:
        note(f"{partner} takes none of these keys: send it the file of `acmx partner export` anew.")

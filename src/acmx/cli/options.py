"""The options that every command has, and what follows from them."""

from collections.abc import Callable
from dataclasses import dataclass
from shlex import quote
from typing import Annotated, Any

from cyclopts import Parameter

from acmx.cli.failures import note
from acmx.cli.session import profiles
from acmx.cli.session.renewal import client_of
from acmx.cli.terminal import print_json
from acmx.client import Client

Json = Annotated[bool, Parameter(name="--json", help="Print the document as JSON, and nothing else.")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Options:
    """Whose log-on is used, and in which form the result is printed."""

    profile: Annotated[
        str | None,
        Parameter(name="--as", env_var="ACMX_PROFILE", help="The profile to use; default: the last log-on."),
    ] = None
    json: Json = False

    def client(self) -> Client:
        """Raises Misconfigured where there is no such profile, NotAuthenticated, IdentityProviderUnavailable."""
        return client_of(profiles.load(self.profile))

    def show(self, document: Any, draw: Callable[[], None]) -> None:
        """Print the document: as JSON where that was asked for, else as `draw` does."""
        if self.json:
            print_json(document)
        else:
            draw()


DEFAULTS = Options()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Paging:
    """Which part of a list."""

    limit: Annotated[
        int | None, Parameter(help="How many at most; default: a page as the server has it.")
    ] = None
    after: Annotated[str | None, Parameter(help="Go on after this place, as the page before said.")] = None

    def tell_more(self, command: str, after: str | None, **chosen: str | None) -> None:
        """Say how the same list goes on, unless `after` is None: `chosen` are the options that it was asked for."""
        if after is None:
            return
        given = {**chosen, "limit": self.limit, "after": after}
        options = [f"--{name} {quote(str(value))}" for name, value in given.items() if value is not None]
        note(f"There is more: acmx {command} {' '.join(options)}")


FIRST_PAGE = Paging()


Id = Annotated[str, Parameter(name="ID", help="The exchange, as `acmx requests` lists it.")]
Users = Annotated[list[str] | None, Parameter(name="--user", consume_multiple=True, help="MC service IDs.")]

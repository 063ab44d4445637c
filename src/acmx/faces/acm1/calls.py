"""One call of ACM-1: who calls, what was given, and the house it is carried out in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol, TypeVar

from msgspec import Struct
from starlette.requests import Request

from acmx.domain import acm1
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.faces.acm1.passwords import Passwords
from acmx.flows.carry_out import carry_out
from acmx.flows.house import House
from acmx.storage.engine import Store, Tx
from acmx.storage.journal import OnBehalf
from acmx.trust.own import Own
from acmx.trust.roles import Caller, Permission

T = TypeVar("T")
P = TypeVar("P")
PAGE = 100
LONGEST_PAGE = 1000


class Vitals(Protocol):
    """The signs of life of the server."""

    expiring: list[acm1.Finding]
    """Certificates and keys that end soon or have ended."""

    def components(self) -> list[acm1.Component]:
        """Every part that has to go on."""

    def alive(self) -> bool:
        """Whether it would not help to start the server again."""

    def ready(self) -> bool:
        """Whether the server does its work."""


@dataclass(frozen=True)
class Desk:
    """What the routes of ACM-1 need of the house.

    `told_at` gives the milliseconds of the last notice to a person; `check` looks into the link to a partner and
    raises NotFound.
    """

    house: House
    store: Store
    own: Own
    told_at: Callable[[str], int | None]
    vitals: Vitals
    check: Callable[[str], Awaitable[acm1.Findings]]
    passwords: Passwords


@dataclass(frozen=True)
class Call:
    """A request of an authenticated caller; `given` is its body, decoded."""

    desk: Desk
    request: Request
    caller: Caller
    given: Any

    async def read(self, look: Callable[[Tx], T]) -> T:
        return await self.desk.store.read(look)

    async def write(self, act: Callable[[Tx], T]) -> T:
        """What `act` journals of the caller names the account."""
        return await self.desk.store.write(lambda tx: act(self._on_behalf(tx)))

    async def carry_out(self, prepare: Callable[..., P], apply: Callable[[Tx, P], T], **inputs: Any) -> T:
        """`prepare(house, tx, caller=..., **inputs)`, then `apply`."""
        house, caller = self.desk.house, self.caller
        return await carry_out(
            self.desk.store,
            lambda tx: partial(prepare, house, tx, caller)(**inputs),
            lambda tx, plan: apply(self._on_behalf(tx), plan),
        )

    def named(self, parameter: str) -> str:
        value: str = self.request.path_params[parameter]
        return value

    def limit(self) -> int:
        return self._number("limit", PAGE, 1, LONGEST_PAGE)

    def after(self) -> int | None:
        return self._number("after", 0, 0, 2**62) or None

    def _on_behalf(self, tx: Tx) -> Tx:
        return OnBehalf(tx, self.caller.mc_service_id, self.caller.by)

    def _number(self, parameter: str, default: int, least: int, largest: int) -> int:
        text = self.request.query_params.get(parameter)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= largest):
            raise FaultyInput([Fault(parameter, text[:50], f"must be a number from {least} to {largest}")])
        return int(text)


@dataclass(frozen=True)
class Served:
    """A row of the table of routes. `permission` None means that the flow itself decides.

    `query` names the parameters that choose among what is given; of a page there are `after` and `limit` besides.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    permission: Permission | None
    handle: Callable[[Call], Awaitable[Struct]]
    takes: type[Struct] | None
    gives: type[Struct]
    status: int = 200
    query: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """What it does: the first line about its handler."""
        return (self.handle.__doc__ or "").partition("\n")[0].rstrip(".")

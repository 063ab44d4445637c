"""One method for each route of ACM-1 (docs/acm1.md)."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from acmx.client.accounts import AccountCalls
from acmx.client.connection import TRIES, Connection
from acmx.client.events import Hint, hints
from acmx.client.evidence import EvidenceCalls
from acmx.client.operations import OperationCalls
from acmx.client.pages import pages
from acmx.client.partners import PartnerCalls
from acmx.client.places import path, query
from acmx.client.provisioning import ProvisioningCalls
from acmx.client.rules import RuleCalls
from acmx.client.sessions import SessionCalls
from acmx.domain.acm1 import (
    Accepted,
    Answer,
    AnswerInput,
    Exchange,
    Page,
    Pending,
    Review,
    Reviewed,
    RevocationInput,
    Revoked,
    Submission,
    Summary,
    TextInput,
    WithdrawalInput,
)
from acmx.domain.errors import AcmxError, TemporarilyUnavailable, Unreachable
from acmx.domain.exchange import State

RECONNECT_FIRST = 1.0
RECONNECT_MOST = 30.0
ENDED = frozenset(
    {State.REFUSED_HERE, State.ANSWERED, State.RETRIEVED, State.REFUSED_BY_PARTNER, State.WITHDRAWN}
)
"""The states at the primary system after which nothing more is to be waited for."""

T = TypeVar("T")
OnLost = Callable[[AcmxError, float], None]


def _say_nothing(lost: AcmxError, seconds: float) -> None:
    del lost, seconds


class Client(
    SessionCalls, AccountCalls, RuleCalls, PartnerCalls, ProvisioningCalls, OperationCalls, EvidenceCalls
):
    """An ACM client of the ACM server at `url` (https), by bearer token.

    `certificate` is the server's own (a PEM file, or PEM text) and then the only one that is taken; without it
    the system's trust store decides. Every method raises the error of the tree that the
    server's problem document names, Unreachable, or UnknownCertificate. Reading, submitting, withdrawing,
    retrieving and reviewing are tried again where the connection fails, as the server takes each but once.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        certificate: Path | str | None = None,
        *,
        pause: Callable[[float], None] = time.sleep,
        renew: Callable[[], str] | None = None,
    ) -> None:
        """Raises FaultyInput. `pause` waits that many seconds between two tries.

        `renew` gives another token for one that is no good any more; raises NotAuthenticated where there is none.
        """
        self._connection = Connection(url, certificate, pause, renew)
        self._connection.token = token
        self._pause = pause

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def submit(self, submission: Submission, key: str) -> Accepted:
        """Step 1. One `key` makes one exchange, however often it is submitted.

        Raises FaultyInput, UnsupportedKind, NotEstablished, KeyReused, NotAllowed with the rule and the exchange.
        """
        headers = {"Idempotency-Key": key}
        return self._connection.send("POST", "/requests", Accepted, submission, headers=headers, tries=TRIES)

    def requests(
        self,
        after: str | None = None,
        limit: int | None = None,
        state: str | None = None,
        partner: str | None = None,
    ) -> Page:
        """One page of the exchanges that the caller may see, newest first."""
        path = query("/requests", after=after, limit=limit, state=state, partner=partner)
        return self._connection.get(path, Page)

    def all_requests(self, state: str | None = None) -> Iterator[Summary]:
        for page in pages(lambda after: self.requests(after, state=state)):
            yield from page.items

    def exchange(self, id_: str) -> Exchange:
        """Raises NotFound, also where the caller may not see it."""
        return self._connection.get(path("requests", id_), Exchange)

    def withdraw(self, id_: str, reason: str | None = None) -> Accepted:
        """Raises NotAllowed, NotFound, NotNow."""
        place = path("requests", id_, "withdrawal")
        return self._connection.send("POST", place, Accepted, WithdrawalInput(reason), tries=TRIES)

    def retrieve(self, id_: str) -> Answer:
        """Step 18. Raises NotAllowed, NotFound, NotYet while the partner has not answered, NotNow."""
        return self._connection.send("POST", path("requests", id_, "retrieval"), Answer, tries=TRIES)

    def review(self, id_: str, review: Review) -> Reviewed:
        """Step 12, and at the primary system step 2.

        Raises NotAllowed, NotFound, NotNow, OutcomeStands, ReviewStands, VersionsDiffer, Incomplete, FaultyInput.
        """
        return self._connection.send("POST", path("requests", id_, "review"), Reviewed, review, tries=TRIES)

    def revoke(self, id_: str, given: RevocationInput) -> Revoked:
        """Take an approval back. Raises NotAllowed, NotFound, NotNow where nothing is granted, FaultyInput."""
        place = path("requests", id_, "revocation")
        return self._connection.send("POST", place, Revoked, given, tries=TRIES)

    def ask(self, id_: str, text: str) -> Accepted:
        """Ask the primary system about its request. Raises NotAllowed, NotFound, NotNow where the outcome stands."""
        place = path("requests", id_, "questions")
        return self._connection.send("POST", place, Accepted, TextInput(text), tries=TRIES)

    def answer(self, id_: str, text: str, question: int) -> Accepted:
        """Answer the partner's question of this number, as the conversation of the exchange gives it.

        Raises NotAllowed, NotFound, FaultyInput where there is no such question, NotNow where it was answered.
        """
        place = path("requests", id_, "answers")
        return self._connection.send("POST", place, Accepted, AnswerInput(question, text), tries=TRIES)

    def pending(self, after: str | None = None, limit: int | None = None) -> Pending:
        """Steps 9 and 17: one page of what waits for the caller."""
        return self._connection.get(query("/pending", after=after, limit=limit), Pending)

    def all_pending(self) -> Pending:
        """Everything that waits for the caller."""
        whole = list(pages(self.pending))
        return Pending(
            whole[0].mc_service_id,
            [summary for page in whole for summary in page.to_decide],
            [summary for page in whole for summary in page.to_fetch],
            [summary for page in whole for summary in page.to_answer],
            to_release=[summary for page in whole for summary in page.to_release],
        )

    def notifications(self, on_lost: OnLost = _say_nothing) -> Iterator[Hint]:
        """Steps 8 and 16: a hint on every connect and whenever something may have changed, until closed.

        A lost stream is opened again, with back-off; `on_lost` is told why and in how many seconds. Raises what
        the server says against it, such as NotAuthenticated when the token has ended.
        """
        wait = RECONNECT_FIRST
        while True:
            lost: AcmxError = Unreachable("The stream has ended.")
            try:
                with self._connection.stream("/notifications") as lines:
                    for hint in hints(lines):
                        wait = RECONNECT_FIRST
                        yield hint
            except (Unreachable, TemporarilyUnavailable) as error:
                lost = error
            seconds = wait * random.uniform(0.5, 1.0)  # noqa: S311
            on_lost(lost, seconds)
            self._pause(seconds)
            wait = min(wait * 2, RECONNECT_MOST)

    def watch(self, look: Callable[[], T], on_lost: OnLost = _say_nothing) -> Iterator[T]:
        """What `look` finds, at once and at every hint, until closed; a look that fails is repeated."""
        while True:
            try:
                for _ in self.notifications(on_lost):
                    yield look()
            except (Unreachable, TemporarilyUnavailable) as lost:
                on_lost(lost, RECONNECT_FIRST)
                self._pause(RECONNECT_FIRST)

    def wait(self, id_: str, on_lost: OnLost = _say_nothing) -> Exchange:
        """The caller's exchange once it has ended, perhaps days later; the pending list is asked too (step 17)."""

        def look() -> Exchange:
            self.all_pending()
            return self.exchange(id_)

        return next(exchange for exchange in self.watch(look, on_lost) if exchange.state in ENDED)

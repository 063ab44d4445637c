"""Step 1, whatever the kind: a submission is sent, and where that is wanted its answer is awaited."""

from dataclasses import dataclass
from typing import Annotated
from uuid import uuid4

from cyclopts import Parameter

from acmx.cli.exchange.answer import draw_answer
from acmx.cli.exchange.exchanges import tell_lost
from acmx.cli.failures import DONE, FAILED, NOT_YET, note
from acmx.cli.moments import Beginning, End
from acmx.cli.options import Options
from acmx.cli.terminal import busy, people, plain, time
from acmx.client import Client
from acmx.domain.acm1 import Accepted, Answer, Service, Submission
from acmx.domain.errors import AcmxError, Unreachable
from acmx.domain.messages import Addressee


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Submitting:
    """What is said with every submission, and whether its answer is awaited."""

    partner: Annotated[str, Parameter(help="The partner's MC system ID.")]
    purpose: Annotated[str, Parameter(help="What for; the partner sees it.")]
    reference: Annotated[str | None, Parameter(help="The agreement or incident.")] = None
    service: Annotated[
        list[Service] | None,
        Parameter(consume_multiple=True, help="For which MC services; default: all that are offered."),
    ] = None
    urgent: bool = False
    to: Annotated[str | None, Parameter(help="Who shall decide there, by MC service ID.")] = None
    to_alias: Annotated[
        str | None, Parameter(help="Who shall decide there, by functional alias; may stand beside --to.")
    ] = None
    valid_from: Annotated[Beginning, Parameter(help="From when; a date alone: its beginning, here.")] = None
    valid_until: Annotated[End, Parameter(help="Until when; a date alone: its end, here.")] = None
    expires: Annotated[End, Parameter(help="Until when the partner may decide; default: 30 days.")] = None
    wait: Annotated[
        bool, Parameter(help="Wait for the answer and fetch it; Ctrl-C leaves what was sent alone.")
    ] = False

    def submit(self, kind: str, options: Options, users: tuple[str, ...] = ()) -> int:
        """The exit status: with `wait`, 1 where nobody was approved or it was declined."""
        submission = Submission(
            kind=kind,
            partner=self.partner,
            users=users,
            purpose=self.purpose,
            reference=self.reference,
            addressee=Addressee(self.to, self.to_alias) if self.to or self.to_alias else None,
            urgency="urgent" if self.urgent else "normal",
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            expires_at=self.expires,
            content={"services": self.service} if self.service else {},
        )
        with options.client() as client:
            accepted = _submitted(client, submission)
            for name, moment in (("from", self.valid_from), ("until", self.valid_until)):
                if moment is not None:
                    note(f"Valid {name} {time(moment)}.")
            if self.wait:
                return _awaited(client, accepted, options)
        options.show(
            accepted, lambda: print(plain(f"{accepted.id} is {accepted.state}. See: acmx show {accepted.id}"))
        )
        return DONE


def _submitted(client: Client, submission: Submission) -> Accepted:
    try:
        with busy(f"Sending {people(len(submission.users))}" if submission.users else "Sending"):
            return client.submit(submission, str(uuid4()))
    except Unreachable as lost:
        raise Unreachable(f"{lost.detail} It may have the request nevertheless: acmx requests") from lost


def _awaited(client: Client, accepted: Accepted, options: Options) -> int:
    try:
        with busy(f"{accepted.id}: waiting for the answer; Ctrl-C leaves the request alone"):
            client.wait(accepted.id, tell_lost)
        answer = client.retrieve(accepted.id)
    except KeyboardInterrupt:
        note(f"No longer waiting. The request stays: acmx show {accepted.id}")
        return NOT_YET
    except AcmxError:
        note(f"No longer waiting. The request is: acmx show {accepted.id}")
        raise
    options.show(answer, lambda: draw_answer(answer))
    return _told(answer)


def _told(answer: Answer) -> int:
    if answer.outcome in ("approved", "partly-approved"):
        return DONE
    note(f"Nobody was approved: {answer.outcome}. {answer.reason or ''}".strip())
    return FAILED

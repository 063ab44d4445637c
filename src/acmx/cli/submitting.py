"""Step 1, whatever the kind: a submission is sent, and where that is wanted its answer is awaited."""

from uuid import uuid4

from acmx.cli.answer import draw_answer
from acmx.cli.exchanges import tell_lost
from acmx.cli.failures import DONE, FAILED, NOT_YET, note
from acmx.cli.options import Options
from acmx.cli.terminal import busy, people, plain
from acmx.client import Client
from acmx.domain.acm1 import Accepted, Answer, Submission
from acmx.domain.errors import AcmxError, Unreachable


def submit(submission: Submission, options: Options, *, wait: bool) -> int:
    """The exit status: with `wait`, 1 where nobody was approved or it was declined."""
    with options.client() as client:
        accepted = _submitted(client, submission)
        if wait:
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

"""The three exchanges of the demo, step by step, with the times that the two servers recorded."""

from uuid import uuid4

from acmx.cli.demo.patience import eventually
from acmx.cli.demo.systems import FIRE, POLICE, Neighbours
from acmx.cli.terminal import out
from acmx.client import Client
from acmx.domain.acm1 import Exchange, Review, Step, Submission, VerdictInput
from acmx.domain.errors import NotAllowed
from acmx.domain.steps import STEPS

POLICY = f"""\
@id("two-officers-of-the-police-at-an-incident")
permit (principal == MCSystem::"{POLICE}", action == Action::"approve", resource == Kind::"server-identity")
when {{ context.users <= 2 && context.referenced }};
"""
AUTOMATIC = range(7, 13)


class Steps:
    """The steps of one exchange as far as they were told; each is told once."""

    def __init__(self, police: Client, fire: Client, id_: str) -> None:
        self._clients = (police, fire)
        self._id = id_
        self.told: dict[int, str] = {}

    def tell(self, *through: int) -> None:
        """Print these steps from what the servers recorded."""
        documents = [client.exchange(self._id) for client in self._clients]
        for n in through:
            step = _recorded(documents, n)
            self.told[n] = step.status
            if step.status != "not-taken":
                out().print(_line(step))
            elif n == AUTOMATIC[0]:
                out().print(f"{AUTOMATIC[0]:>4}-{AUTOMATIC[-1]}  not taken: decided by rule", step.note)


def ask_manually(both: Neighbours) -> bool:
    out().print("\n1. A person of the partner decides")
    police, fire = both.police.log_on("silva"), both.fire.log_on("okoye")
    users = (f"sip:officer.1@{POLICE}", f"sip:officer.2@{POLICE}", "tel:+15550100123")
    id_ = police.submit(_submission(users, None), str(uuid4())).id
    eventually(lambda: police.exchange(id_).state == "stored", "the stored indication")
    steps = Steps(police, fire, id_)
    steps.tell(1, 2, 3, 4, 5, 6)

    fire = both.fire.log_on("okoye")
    next(fire.notifications())
    waiting = next(item for item in fire.all_pending().to_decide if item.id == id_)
    steps.tell(7, 8, 9, 10)

    declined = VerdictInput(approved=False, users=users[2:])
    review = Review(
        (VerdictInput(approved=True), declined), "no MCPTT by telephone", fire.exchange(waiting.id).seen
    )
    fire.review(id_, review)
    eventually(lambda: police.exchange(id_).state == "answered", "the response")
    steps.tell(11, 12, 13, 14)

    police = both.police.log_on("silva")
    next(police.notifications())
    police.all_pending()
    answer = police.retrieve(id_)
    steps.tell(15, 16, 17, 18)
    given = answer.content["server_identity"]
    out().print(f"      {answer.outcome}; {len(given)} rows of server identity information came back")
    return [steps.told[step.n] for step in STEPS] == ["done"] * len(STEPS)


def ask_automatically(both: Neighbours) -> bool:
    out().print("\n2. The partner's policy decides")
    police, fire = both.police.log_on("silva"), both.fire.log_on("okoye")
    fire.set_policy(POLICY)
    users = (f"sip:officer.3@{POLICE}", f"sip:officer.4@{POLICE}")
    id_ = police.submit(_submission(users, "incident 2026-1123"), str(uuid4())).id
    eventually(lambda: police.exchange(id_).state == "answered", "the response")
    police = both.police.log_on("silva")
    next(police.notifications())
    police.all_pending()
    police.retrieve(id_)
    steps = Steps(police, fire, id_)
    steps.tell(*(step.n for step in STEPS))
    taken = [steps.told[step.n] for step in STEPS if step.n not in AUTOMATIC]
    return set(taken) == {"done"} and {steps.told[n] for n in AUTOMATIC} == {"not-taken"}


def ask_for_a_stranger(both: Neighbours) -> bool:
    out().print("\n3. A request that is refused at home, and never leaves")
    police = both.police.log_on("silva")
    try:
        police.submit(_submission(("sip:medic.1@mc.ambulance.example",), None), str(uuid4()))
    except NotAllowed as refused:
        exchange = police.exchange(str(refused.members["exchange"]))
        for n in (1, 2):
            out().print(_line(_recorded([exchange], n)))
        return exchange.state == "refused_here" and not exchange.waiting
    return False


def _submission(users: tuple[str, ...], reference: str | None) -> Submission:
    return Submission(
        kind="server-identity",
        partner=FIRE,
        users=users,
        purpose="flood in the harbour district",
        reference=reference,
        content={"services": ["mcptt", "mcdata"]},
    )


def _recorded(documents: list[Exchange], n: int) -> Step:
    """The step as that system recorded it in which it happened."""
    steps = [document.steps[n - 1] for document in documents]
    return next((step for step in steps if step.status in ("done", "failed")), steps[-1])


def _line(step: Step) -> str:
    procedure = STEPS[step.n - 1]
    parties = (
        procedure.source
        if procedure.source == procedure.target
        else f"{procedure.source} -> {procedure.target}"
    )
    time = f"{step.at:%H:%M:%S.%f}"[:-3] if step.at else ""
    failure = f"{step.status}: {step.note}" if step.status != "done" else ""
    return f"{step.n:>4}  {time:12}  {parties:29} {procedure.text:10} {failure}".rstrip()

"""Two `acmx serve` processes that reach each other only through a proxy each."""

import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from bench import agreement, processes
from bench.processes import Server
from bench.systems import FIRE, POLICE, onboard

from acmx.domain.acm1 import Review, Submission, VerdictInput
from acmx.domain.errors import OutcomeStands, VersionsDiffer
from acmx.domain.exchange import State
from support.faults.proxy import Fault, Proxy

until = partial(processes.until, within=25.0)


class Neighbours:
    """The police, the fire service, and the ways between them. One user is approved by rule, two by a person."""

    def __init__(self, folder: Path, ways: tuple[Proxy, Proxy], *, pace: float = 1.5) -> None:
        """`pace`: the settings of delivery, in seconds."""
        police_to_fire, fire_to_police = ways
        via = {
            FIRE: f"https://127.0.0.1:{police_to_fire.port}",
            POLICE: f"https://127.0.0.1:{fire_to_police.port}",
        }
        onboard(folder, approves=1, via=via)
        for system in ("police", "fire"):
            set_pace(folder / system, pace)
        self.police, self.fire = Server(folder / "police"), Server(folder / "fire")
        self.ways = ways
        self.mend()
        self.asker = self.police.client()
        self.reviewer = self.fire.client()
        self.accepted: list[str] = []

    def mend(self) -> None:
        """Both ways lead to the other server, without faults."""
        for way, there in zip(self.ways, (self.fire, self.police), strict=True):
            way.inject(Fault.NONE)
            way.lead_to(there.ports[1])

    def submit(self, *users: int, partner: str = FIRE) -> list[str]:
        """An exchange for each number of users."""
        ids = []
        for number in users:
            named = tuple(f"sip:officer.{n}@{POLICE}" for n in range(number))
            submission = Submission(kind="server-identity", partner=partner, users=named, purpose="flood")
            ids.append(self.asker.submit(submission, f"{len(self.accepted)} {time.monotonic()}").id)
        self.accepted += ids
        return ids

    def review_all(self) -> None:
        for waiting in self.reviewer.all_pending().to_decide:
            seen = self.reviewer.exchange(waiting.id).seen
            with suppress(OutcomeStands, VersionsDiffer):  # it was withdrawn meanwhile
                self.reviewer.review(waiting.id, Review((VerdictInput(approved=True),), "as agreed", seen))

    def link_fails(self) -> bool:
        return self.asker.partner(FIRE).last_error is not None

    def all_ended(self) -> bool:
        """Everything was answered or withdrawn, and nothing is under way; people review what comes to them."""
        self.review_all()
        if any(agreement.waiting(server.directory) for server in (self.police, self.fire)):
            return False
        states = agreement.states(self.police.directory)
        return all(states[id_] in (State.ANSWERED, State.WITHDRAWN) for id_ in self.accepted)

    def not_ended(self) -> str:
        """What is still under way, and when each message is tried again."""
        ends = (State.ANSWERED, State.WITHDRAWN)
        both = [agreement.states(server.directory) for server in (self.police, self.fire)]
        lines = [
            f"{id_}: {[s.get(id_) for s in both]}" for id_ in self.accepted if both[0].get(id_) not in ends
        ]
        return "\n".join([*lines, *(str(agreement.queue(s.directory)) for s in (self.police, self.fire))])

    def agree(self) -> None:
        """Wait for every end, then compare the databases."""
        until(self.all_ended, told=self.not_ended)
        directories = self.police.directory, self.fire.directory
        assert agreement.disagreements(*directories, self.accepted) == []


def set_pace(directory: Path, seconds: float) -> None:
    path = directory / "config.toml"
    text = path.read_text()
    for setting in ("probe_seconds", "answer_seconds"):
        assert f"{setting} = 30.0" in text
        text = text.replace(f"{setting} = 30.0", f"{setting} = {seconds}")
    path.write_text(text)

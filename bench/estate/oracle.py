"""What must hold in the end, read from both databases, the journals and the evidence."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
from bench import agreement
from bench.processes import Server

from acmx.bootstrap.offline_audit import opened
from acmx.domain.errors import NotFound
from acmx.domain.exchange import State
from acmx.storage.engines import transfer
from acmx.trust.checkpoints import Checkpoints
from acmx.trust.evidence_check import check
from acmx.trust.journal_check import JournalCheck

EVIDENCE = 20


class Found(NamedTuple):
    """`lost`: ids that were acknowledged and are nowhere; `twice`: what came back after it had been submitted again."""

    wrong: list[str]
    lost: list[str]
    twice: int
    states: dict[str, str]


def evidence(servers: Collection[Server], ids: Collection[str]) -> list[str]:
    """What does not hold in the evidence of these exchanges, while the servers run."""
    wrong = []
    for server in servers:
        with server.client() as client:
            for id_ in ids:
                with suppress(NotFound):
                    file = msgspec.json.encode(client.evidence(id_))
                    wrong += [f"evidence of {id_}: {said}" for said in check(file) if said.status == "wrong"]
    return wrong


def judge(
    url: str,
    police: Path,
    fire: Path,
    accepted: Collection[str],
    reviewed: Collection[str],
    *,
    may_lose: bool,
) -> Found:
    """Of servers that have stopped. `may_lose`: the standby lags, so what is lost has to be named, and nothing else."""
    wrong = [trouble for place in (police, fire) for trouble in _journal(place)]
    transfer.to_file(url, police / "acmx.db")
    here, there = agreement.states(police), agreement.states(fire)
    lost = [id_ for id_ in accepted if id_ not in here]
    named = agreement.named_as_gone(police)
    wrong += [f"{id_}: acknowledged, lost" for id_ in lost if not may_lose]
    wrong += [f"{id_}: acknowledged, lost, and not named" for id_ in lost if id_ not in named]
    wrong += [f"{id_}: acknowledged, lost, and the partner holds it" for id_ in lost if id_ in there]
    twice = len(here.keys() - set(accepted))
    if twice and not may_lose:
        wrong.append(f"{twice} exchanges that nobody was told of")
    kept = [id_ for id_ in accepted if id_ in here]
    wrong += agreement.disagreements(police, fire, kept, forgetful=may_lose)
    wrong += [
        f"{id_}: reviewed, but {there.get(id_)}" for id_ in reviewed if there.get(id_) != State.DELIVERED
    ]
    return Found(wrong, lost, twice, here)


def _journal(place: Path) -> list[str]:
    with opened(place) as found:
        checkpoints = Checkpoints(found.checkpoints, ())
        checking = JournalCheck(checkpoints)
        for row in found.rows:
            checking.take(row)
        return [
            f"journal of {place.name}: {trouble}"
            for trouble in checking.finish(checkpoints.troubles).troubles
        ]

"""Two `acmx serve` on a PostgreSQL primary with a standby, which crash, lag, fill up and are promoted under load.

`uv run python -m bench.estate --faults 100 --failovers 10 --mode sync --seed 7`: so many faults, of which so many
failovers, in an order chosen at random: kill -9 of acmx and of PostgreSQL, whose unflushed transaction ids are then
given to others; the standby away; a COMMIT or its answer lost, or held back over a crash; the disk full (as root, who
can mount a small one); a promotion under load and on a quiet system. In the end every success that a client saw has to
be there, or, where the standby lags (`--mode async`), to be named as lost; nothing may be there twice; both systems
have to agree, and journals and evidence to hold. Ctrl-C ends the faults, and what was found until then is judged.
"""

import argparse
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.estate import oracle
from bench.estate.faults import NOTICED, Faults
from bench.estate.people import People
from bench.estate.servers import Servers
from bench.postgres_pair import Pair

from acmx.domain.errors import AcmxError

SMALL = "600m"


def run(
    folder: Path,
    *,
    faults: int,
    failovers: int,
    seed: int,
    synchronous: bool,
    required: bool,
    small_disks: bool,
) -> tuple[str, list[str]]:
    """A report, and what is wrong."""
    choices, begun, pauses = random.Random(seed), time.monotonic(), [0.0]
    wrong: list[str] = []
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="acmx-estate-")))
        if small_disks:
            stack.enter_context(_small_disks(place))
        pair = stack.enter_context(Pair(synchronous=synchronous, folder=place))
        servers = stack.enter_context(Servers(folder, pair.url, require_synchronous=required))
        done = Counter[str]()
        with People(servers, seed) as people:
            troubles = Faults(pair, servers, people, choices, may_fill=small_disks)
            people.wait_for_more()
            try:
                for fault in _in_order(troubles, faults, failovers, choices):
                    fault()
                    pauses.append(people.wait_for_more())
                    done[fault.__name__] += 1
                    if done.total() % 10 == 0:
                        _say(f"{done.total()} of {faults} faults, {len(people.accepted)} accepted")
                people.wait_for_more()
            except KeyboardInterrupt:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                _say("no more faults; what there is is judged")
                troubles.heal()
            except (AcmxError, OSError, TimeoutError, AssertionError) as error:
                wrong.append(f"after {done.total()} faults: {error!r}")
                troubles.heal()
        wrong += [f"{error!r} {vars(error)}" for error in people.failed]
        try:
            servers.settle()
        except TimeoutError as error:
            wrong.append(f"never came to rest: {error}")
        wrong += oracle.evidence(servers.all, people.accepted[-oracle.EVIDENCE :])
        servers.stop()
        found = oracle.judge(
            pair.primary.url,
            servers.police[0].directory,
            servers.fire.directory,
            people.accepted,
            people.reviewed,
            may_lose=not synchronous,
        )
    late = sum(seconds > NOTICED for seconds in troubles.noticed)
    wrong += found.wrong + ([f"{late} failovers were not noticed within {NOTICED:g} s"] if late else [])
    states = ", ".join(f"{n} {state}" for state, n in sorted(Counter(found.states.values()).items()))
    lines = [
        f"{done.total()} faults in {time.monotonic() - begun:.0f} s, {'' if synchronous else 'a'}synchronous standby: "
        + ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in sorted(done.items())),
        f"{len(people.accepted)} submissions and {len(people.reviewed)} reviews acknowledged ({states})",
        f"{len(found.lost)} acknowledged and lost, {found.twice} came back beside their repetition",
        f"noticed within {max(troubles.noticed, default=0):.1f} s; served again within {max(pauses):.1f} s",
        *(f"had to be started again: {said}" for said in servers.last_words),
        *(f"lost: {id_}" for id_ in found.lost),
    ]
    return "\n".join(lines), wrong


def _in_order(troubles: Faults, faults: int, failovers: int, choices: random.Random) -> Iterator[object]:
    """Each kind about as often as the others of its sort."""
    chosen = [troubles.failovers[n % len(troubles.failovers)] for n in range(failovers)]
    chosen += [troubles.others[n % len(troubles.others)] for n in range(faults - failovers)]
    choices.shuffle(chosen)
    return iter(chosen)


@contextmanager
def _small_disks(place: Path) -> Iterator[None]:
    """For each cluster one, that can be filled."""
    with ExitStack() as stack:
        for name in ("one", "two"):
            (place / name).mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", place / name], check=True)
            stack.callback(subprocess.run, ["umount", "-l", place / name], check=True)
        yield


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.estate")
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--failovers", type=int, default=10, help="of the faults")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--mode", choices=("sync", "async"), default="sync")
    parser.add_argument("--required", action="store_true", help="require_synchronous = true")
    parser.add_argument("--no-full-disk", action="store_true", help="where no file system can be mounted")
    asked = parser.parse_args()
    _say(f"seed {asked.seed}")
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        report, wrong = run(
            Path(folder),
            faults=asked.faults,
            failovers=asked.failovers,
            seed=asked.seed,
            synchronous=asked.mode == "sync",
            required=asked.required,
            small_disks=not asked.no_full_disk,
        )
    print(report)
    print("\n".join(["wrong:", *wrong[:50]]) if wrong else "nothing is wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())

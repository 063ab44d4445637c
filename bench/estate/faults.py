"""What goes wrong with a pair of PostgreSQL clusters and the servers on it; each ends before the next one begins."""

import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bench.estate.people import People
from bench.estate.servers import Servers
from bench.postgres_pair import Pair
from bench.postgres_proxy import Fault
from bench.processes import until

NOTICED = 5.0
"""Within so many seconds of a promotion."""
_TIMELINE = "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int"
_HEARD = "SELECT 1 FROM journal WHERE event = 'database-changed' AND (detail::json ->> 'timeline')::int = %s"
BALLAST = "ballast"


class Faults:
    """`may_fill`: each cluster has a small file system of its own."""

    def __init__(
        self, pair: Pair, servers: Servers, people: People, choices: random.Random, *, may_fill: bool
    ) -> None:
        self.pair, self.servers, self.people, self.choices = pair, servers, people, choices
        self.failovers: list[Callable[[], None]] = [self.failover_under_load, self.failover_on_a_quiet_system]
        self.others: list[Callable[[], None]] = [
            self.acmx_killed,
            self.postgres_killed,
            self.standby_away,
            self.commit_or_answer_lost,
            self.commit_held_over_a_crash,
            *([self.disk_full] if may_fill else []),
        ]
        self.noticed: list[float] = []
        self._submitted = 0

    def acmx_killed(self) -> None:
        server = self.choices.choice(self.servers.all)
        self._a_moment(0.8)
        server.kill()
        server.start()

    def postgres_killed(self) -> None:
        self._a_moment(0.8)
        self.pair.crash_and_restart()

    def standby_away(self) -> None:
        self.pair.standby.crash()
        self._a_moment(8.0)
        self.pair.standby.start()
        self.pair.caught_up()

    def commit_or_answer_lost(self) -> None:
        self.pair.way.inject(self.choices.choice((Fault.COMMIT_LOST, Fault.ANSWER_LOST)))
        self._a_moment(0.5)

    def commit_held_over_a_crash(self) -> None:
        way = self.pair.way
        way.inject(Fault.HELD)
        way.struck.wait(5.0)
        self.pair.crash_and_restart()
        way.cut()

    def disk_full(self) -> None:
        primary = self.pair.primary
        ballast = primary.folder / BALLAST
        _fill(ballast)
        self._a_moment(2.0)
        ballast.unlink()
        with suppress(TimeoutError):
            until(primary.answers, within=5.0)
        if not primary.running:  # without room for its log it may have ended for good
            primary.start()

    def failover_under_load(self) -> None:
        """With what was committed in the last moments lost, and perhaps an answer on its way."""
        way = self.pair.way
        self.pair.hold()
        self._a_moment(0.7)
        if self.choices.random() < 0.5:
            way.inject(Fault.HELD)
            way.struck.wait(1.0)
            way.hand_on()
        self._fail_over()
        way.cut()
        self._notice()
        self.pair.rejoin()

    def failover_on_a_quiet_system(self) -> None:
        """Nobody does anything before it is noticed."""
        self.people.pause()
        self.pair.hold()
        if not self.pair.synchronous:
            self._submitted += 1
            self.people.submit(f"quiet {self._submitted}", self.choices)
        self._fail_over()
        self._notice()
        self.people.resume()
        self.pair.rejoin()

    def heal(self) -> None:
        """Whatever was broken off in the middle."""
        for cluster in self.pair.clusters:
            (cluster.folder / BALLAST).unlink(missing_ok=True)
        for way in self.pair.proxies:
            way.fault = Fault.NONE
            way.let_go()
        if not self.pair.primary.running:
            self.pair.primary.start()
        self.pair.let_go()
        if not self.pair.standby.running:
            self.pair.rejoin()
        for server in self.servers.all:
            server.kill()
            server.start()
        self.people.resume()

    def _fail_over(self) -> None:
        self.pair.fail_over()

    def _notice(self) -> None:
        begun = time.monotonic()
        [(timeline,)] = self.pair.primary.ask(_TIMELINE)
        with suppress(TimeoutError):
            until(lambda: self.pair.primary.ask(_HEARD, timeline), within=2 * NOTICED)
        self.noticed.append(time.monotonic() - begun)

    def _a_moment(self, longest: float) -> None:
        time.sleep(self.choices.uniform(0, longest))


def _fill(path: Path) -> None:
    """Take all that is left where the file lies, and may be taken."""
    room = os.statvfs(path.parent)
    with path.open("wb") as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, room.f_bfree * room.f_frsize)

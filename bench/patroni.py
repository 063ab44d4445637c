"""Patroni's switchovers and failovers under load, as an operator has them: Patroni and etcd from the system's packages.

`apt-get install patroni etcd-server`, then `uv run python -m bench.patroni --rounds 4 --mode sync --seed 7`: etcd, two
nodes on loopback with Debian's PostgreSQL, two `acmx serve` on them; a round is a switchover, then a failover: the
leader's Patroni and PostgreSQL are killed, and begun again once the other has taken over. The oracle is that of
`bench.estate`. A failover waits for the leader's key in etcd to end, 20 s.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self
from urllib.error import URLError

import psycopg
from bench.estate import oracle
from bench.estate.people import People
from bench.estate.servers import Servers
from bench.postgres_pair import give, kill, run
from bench.processes import until

from acmx.cli.demo.ports import reserve_port

WITHIN = 120.0
NAMES = ("one", "two")


class Node:
    """Patroni and the PostgreSQL that it keeps."""

    def __init__(self, name: str, folder: Path, programs: Path, etcd: int, *, synchronous: bool) -> None:
        self.name, self.folder = name, folder
        self.rest, self.port = reserve_port(), reserve_port()
        self._patroni: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        give(folder)
        trust = [
            "local all all trust",
            "host all all 127.0.0.1/32 trust",
            "host replication all 127.0.0.1/32 trust",
        ]
        settings = {
            "scope": "acmx",
            "name": name,
            "restapi": {"listen": f"127.0.0.1:{self.rest}", "connect_address": f"127.0.0.1:{self.rest}"},
            "etcd3": {"hosts": [f"127.0.0.1:{etcd}"]},
            "bootstrap": {
                "dcs": {
                    "ttl": 20,
                    "loop_wait": 2,
                    "retry_timeout": 5,
                    "synchronous_mode": synchronous,
                    "postgresql": {"use_pg_rewind": True, "use_slots": True},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"],
                "pg_hba": trust,
            },
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}",
                "connect_address": f"127.0.0.1:{self.port}",
                "data_dir": str(folder / "data"),
                "bin_dir": str(programs),
                "pgpass": str(folder / "pgpass"),
                "pg_hba": trust,
                "authentication": {
                    "superuser": {"username": "postgres"},
                    "replication": {"username": "postgres"},
                    "rewind": {"username": "postgres"},
                },
                "parameters": {"unix_socket_directories": str(folder), "shared_buffers": "32MB"},
            },
        }
        (folder / "patroni.yml").write_text(json.dumps(settings))  # which is YAML too
        (folder / "patroni.yml").chmod(0o644)

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._patroni = run(
                "/usr/bin/patroni", self.folder / "patroni.yml", log=log, environment=os.environ
            )

    def kill(self) -> None:
        """As where a machine goes."""
        if self._patroni is not None:
            kill(self._patroni.pid)
            self._patroni.wait()
        with suppress(OSError):
            kill(int((self.folder / "data" / "postmaster.pid").read_text().split()[0]))

    def ask(self, path: str, document: Any = None) -> Any:
        """Of Patroni's REST API; None where it does not answer so."""
        body = None if document is None else json.dumps(document).encode()
        with suppress(URLError, OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{self.rest}{path}", body, timeout=30) as reply:
                said = reply.read()
            return json.loads(said) if said.startswith(b"{") else said.decode()
        return None


class Nodes:
    """Two of them on one etcd."""

    def __init__(self, folder: Path, programs: Path, *, synchronous: bool) -> None:
        self._stack = ExitStack()
        self._folder = folder
        self._synchronous = synchronous
        self._client, self._peer = reserve_port(), reserve_port()
        self.both = [Node(n, folder / n, programs, self._client, synchronous=synchronous) for n in NAMES]
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.both)
        self.url = f"postgresql://postgres@{hosts}/acmx"

    def __enter__(self) -> Self:
        self._begin_etcd()
        for node in self.both:
            self._stack.callback(node.kill)
            node.start()
        until(self.whole, within=WITHIN, told=self.told)
        with psycopg.connect(
            f"host=127.0.0.1 port={self.leader.port} user=postgres", autocommit=True
        ) as connection:
            connection.execute("CREATE DATABASE acmx TEMPLATE template0")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def leader(self) -> Node:
        return next(node for node in self.both if node.ask("/leader"))

    def whole(self) -> bool:
        """One leads, and the other follows it, or is its synchronous standby."""
        return any(n.ask("/leader") for n in self.both) and any(
            n.ask("/synchronous" if self._synchronous else "/replica") for n in self.both
        )

    def other(self, node: Node) -> Node:
        return next(each for each in self.both if each is not node)

    def switch_over(self) -> None:
        old = self.leader
        new = self.other(old)
        old.ask("/switchover", {"leader": old.name, "candidate": new.name})
        until(lambda: new.ask("/leader"), within=WITHIN, told=self.told)

    def fail_over(self) -> None:
        old = self.leader
        old.kill()
        until(lambda: self.other(old).ask("/leader"), within=WITHIN, told=self.told)
        old.start()

    def told(self) -> str:
        return "\n".join((node.folder / "log").read_text()[-1500:] for node in self.both)

    def _begin_etcd(self) -> None:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._client, self._peer))
        options = {
            "name": "only",
            "data-dir": str(self._folder / "etcd"),
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"only={peer}",
        }
        with (self._folder / "etcd.log").open("wb") as log:
            command = ["etcd", *(f"--{name}={value}" for name, value in options.items())]
            etcd = subprocess.Popen(command, stdout=log, stderr=log)
        self._stack.callback(etcd.wait)
        self._stack.callback(etcd.kill)


def rounds(
    folder: Path, programs: Path, *, number: int, synchronous: bool, seed: int
) -> tuple[list[str], list[str]]:
    """A report, and what is wrong."""
    wrong: list[str] = []
    pauses: dict[str, list[float]] = {"switchover": [], "failover": []}
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="acmx-patroni-")))
        place.chmod(0o755)
        nodes = stack.enter_context(Nodes(place, programs, synchronous=synchronous))
        servers = stack.enter_context(Servers(folder, nodes.url, require_synchronous=False))
        with People(servers, seed) as people:
            people.wait_for_more()
            try:
                for _ in range(number):
                    for kind, act in (("switchover", nodes.switch_over), ("failover", nodes.fail_over)):
                        began = time.monotonic()
                        act()
                        people.wait_for_more()
                        pauses[kind].append(time.monotonic() - began)
                        print(f"{kind}: served again after {pauses[kind][-1]:.1f} s", flush=True)
                        until(nodes.whole, within=WITHIN, told=nodes.told)
            except (KeyboardInterrupt, TimeoutError) as error:
                wrong += [] if isinstance(error, KeyboardInterrupt) else [str(error)]
        wrong += [repr(error) for error in people.failed]
        with suppress(TimeoutError):
            servers.settle()
        wrong += oracle.evidence(servers.all, people.accepted[-oracle.EVIDENCE :])
        servers.stop()
        found = oracle.judge(
            nodes.url,
            servers.police[0].directory,
            servers.fire.directory,
            people.accepted,
            people.reviewed,
            may_lose=not synchronous,
        )
    report = [
        *(
            f"{len(times)} {kind}s, served again within {max(times):.1f} s"
            for kind, times in pauses.items()
            if times
        ),
        f"{len(people.accepted)} submissions and {len(people.reviewed)} reviews acknowledged, {len(found.lost)} lost",
        *(f"lost: {id_}" for id_ in found.lost),
    ]
    return report, wrong + found.wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.patroni")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--mode", choices=("sync", "async"), default="sync")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument(
        "--programs", type=Path, help="those of PostgreSQL; the newest of Debian's unless told"
    )
    asked = parser.parse_args()
    programs = asked.programs or max(Path("/usr/lib/postgresql").glob("*/bin"))
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        report, wrong = rounds(
            Path(folder), programs, number=asked.rounds, synchronous=asked.mode == "sync", seed=asked.seed
        )
    print("\n".join([*report, *(["wrong:", *wrong[:50]] if wrong else ["nothing is wrong"])]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())

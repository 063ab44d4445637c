"""Law 1 by system calls: the fsync of what was stored has returned before the reply is written to its socket."""

import asyncio
import http.client
import re
import signal
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import pytest
from bench.processes import until

from support.faults.strace import require_strace
from support.systems.processes import WITHIN, serving
from support.systems.systems import System, submission, two_systems

pytestmark = [pytest.mark.law(1), pytest.mark.slow]

CALLS = "read,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,pwritev,fsync,fdatasync"
LINE = re.compile(r"(?P<pid>\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>|(?P<call>\w+)\()(?P<rest>.*)")
READS = {"read", "recvfrom", "recvmsg"}
SENDS = {"write", "writev", "sendto", "sendmsg"}
SYNCS = {"fsync", "fdatasync"}


class Call(NamedTuple):
    """What happened: `read` and `wrote` on a socket, `stored` into the write-ahead log, `synced` of it."""

    what: Literal["read", "wrote", "stored", "synced"]
    socket: str = ""


def calls_of(trace: str) -> Iterator[Call]:
    """A write counts from its beginning; a read and a sync from their successful end."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        found = LINE.fullmatch(line)
        if found is None:
            continue
        name, rest = found["call"] or found["resumed"], found["rest"]
        file = _file(rest) if found["call"] else begun.pop(found["pid"], "")
        if found["call"] and rest.endswith("<unfinished ...>"):
            begun[found["pid"]] = file
        unfinished = rest.endswith("<unfinished ...>")
        result = re.search(r"= (-?\d+)[^=]*$", rest)
        done = int(result[1]) if result and not unfinished else None
        if name in READS and file.startswith("TCP") and done and done > 0:
            yield Call("read", file)
        elif name in SENDS and file.startswith("TCP") and found["call"]:
            yield Call("wrote", file)
        elif name in ("pwrite64", "pwritev") and file.endswith("-wal") and found["call"]:
            yield Call("stored")
        elif name in SYNCS and file.endswith("-wal") and done == 0:
            yield Call("synced")


def _file(arguments: str) -> str:
    """The file or connection behind the descriptor that comes first, as `strace -yy` shows it."""
    found = re.match(r"\d+<((?:TCP(?:v6)?:\[[^\]]*\])|[^>]*)>", arguments)
    return found[1] if found else ""


def last_reply_came_after_its_fsync(calls: list[Call], port: int) -> bool:
    """Whether the last request on this listener's connections was stored and synced before it was answered."""
    reads = [n for n, call in enumerate(calls) if call.what == "read" and f":{port}->" in call.socket]
    connection, after = calls[reads[-1]].socket, calls[reads[-1] + 1 :]
    reply = after.index(Call("wrote", connection))
    stored = after.index(Call("stored"))
    synced = next((n for n, call in enumerate(after) if call == Call("synced") and n > stored), reply)
    return stored < synced < reply


@contextmanager
def served(system: System, trace: Path | None = None) -> Iterator[None]:
    """`acmx serve`, under strace if asked, and asked to end."""
    strace = ["strace", "-f", "-yy", "-e", f"trace={CALLS}", "-o", str(trace)] if trace else []
    with serving(system.directory, *strace) as server:
        try:
            yield
        finally:
            server.end(signal.SIGTERM)


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


class Client:
    """One kept connection to ACM-1, so that nothing but the reply is written after the last request."""

    def __init__(self, system: System) -> None:
        tls = ssl.create_default_context(cafile=system.directory / "tls" / "acm1.pem")
        tls.check_hostname = False
        port = port_of(system.config.acm1.listen)
        self._http = http.client.HTTPSConnection("127.0.0.1", port, context=tls, timeout=WITHIN)

    def call(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": "Bearer admin", "Idempotency-Key": "key"}
        body = msgspec.json.encode(document) if document else None
        self._http.request(method, f"/acm1/v1{path}", body, headers)
        reply = self._http.getresponse()
        return reply.status, msgspec.json.decode(reply.read())

    def close(self) -> None:
        self._http.close()


@contextmanager
def traced(tmp_path: Path, which: Literal["police", "fire"]) -> Iterator[tuple[Client, Path, System]]:
    """Both systems serve; one of them is traced. A client of the police that has had an answer before."""
    require_strace()
    trace = tmp_path / "trace"
    police, fire = asyncio.run(_made(tmp_path))
    with (
        served(police, trace if which == "police" else None),
        served(fire, trace if which == "fire" else None),
    ):
        client = Client(police)
        try:
            until(lambda: client.call("GET", f"/partners/{fire.id}")[1].get("last_success_at"))
            yield client, trace, police if which == "police" else fire
        finally:
            client.close()


async def _made(tmp_path: Path) -> tuple[System, System]:
    async with two_systems(tmp_path, start=False) as systems:
        return systems


@pytest.mark.step(1)
def test_a_submission_is_on_the_disk_before_the_client_hears_of_it(tmp_path: Path) -> None:
    with traced(tmp_path, "police") as (client, trace, police):
        status, accepted = client.call("POST", "/requests", submission())
        assert status == 201, accepted
        calls = list(calls_of(trace.read_text(errors="replace")))
    assert last_reply_came_after_its_fsync(calls, port_of(police.config.acm1.listen))


@pytest.mark.step(4, 5)
def test_a_request_is_on_the_partner_s_disk_before_the_stored_indication_is_sent(tmp_path: Path) -> None:
    with traced(tmp_path, "fire") as (client, trace, fire):
        _, accepted = client.call("POST", "/requests", submission())
        until(lambda: client.call("GET", f"/requests/{accepted['id']}")[1]["state"] == "stored")
        calls = list(calls_of(trace.read_text(errors="replace")))
    assert last_reply_came_after_its_fsync(calls, port_of(fire.config.acm2.listen))


SOCKET = "TCP:[127.0.0.1:8443->127.0.0.1:50000]"
GOOD = f"""\
7 read(9<{SOCKET}>, "x", 4096) = 120
7 pwrite64(5</tmp/a/acmx.db-wal>, "x", 24, 0) = 24
8 fdatasync(5</tmp/a/acmx.db-wal> <unfinished ...>
7 write(3</tmp/log>, "x", 1) = 1
8 <... fdatasync resumed>) = 0
7 write(9<{SOCKET}>, "x", 90) = 90
"""


@pytest.mark.parametrize(
    ("trace", "proves"),
    [
        (GOOD, True),
        (GOOD.replace(") = 0", ") = -1 EIO (Input/output error)"), False),
        (GOOD.replace("acmx.db-wal> <", "acmx.db> <"), False),
        ("\n".join([*GOOD.splitlines()[:4], *GOOD.splitlines()[:3:-1]]), False),
        (GOOD + GOOD.splitlines()[0] + "\n" + GOOD.splitlines()[5] + "\n" + GOOD, True),
        (GOOD + "\n".join(GOOD.splitlines()[n] for n in (0, 5, 1, 2, 4)), False),
    ],
)
def test_the_proof_fails_where_the_order_is_wrong(trace: str, proves: bool) -> None:
    assert last_reply_came_after_its_fsync(list(calls_of(trace)), 8443) is proves

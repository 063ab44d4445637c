"""The systemd unit that is shipped: systemd takes it, and a server at work needs nothing that it forbids."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from acmx.faces import listener
from support.faults.strace import require_strace
from support.systems.processes import serving
from support.systems.systems import PASSWORD, System, eventually, submission, two_systems

pytestmark = pytest.mark.slow
UNIT = Path(__file__).parent.parent.parent / "deploy" / "acmx.service"
EXPOSURE = 15
"""As systemd counts it: tenths of points out of ten, the fewer the better."""
AS_ROOT = {"fchown"} if os.geteuid() == 0 else set()
"""SQLite calls it as root alone, and the unit runs nothing as root."""


def settings(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run(
        ["systemd-analyze", *map(str, arguments)], check=False, capture_output=True, text=True
    )


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / "acmx.service"
    copy.write_text(UNIT.read_text().replace("/opt/acmx/bin/acmx", sys.executable))
    said = analyze("verify", copy)
    assert (said.returncode, said.stderr) == (0, "")


def test_little_is_left_to_attack() -> None:
    said = analyze("security", "--offline=true", f"--threshold={EXPOSURE}", UNIT)
    assert said.returncode == 0, said.stdout.splitlines()[-1]


def test_both_faces_may_have_all_their_connections() -> None:
    (files,) = settings("LimitNOFILE")
    assert int(files) >= 2 * listener._MOST + 1024


def members(group: str) -> Iterator[str]:
    """The system calls of a group of systemd."""
    for line in analyze("syscall-filter", group).stdout.splitlines()[1:]:
        name = line.strip()
        if name.startswith("@"):
            yield from members(name)
        elif name and not name.startswith("#"):
            yield name


def calls(groups: str) -> set[str]:
    found = {group: set(members(group)) for group in groups.split()}
    assert all(found.values()), groups
    return set().union(*found.values())


async def ask(system: System) -> list[int]:
    """A log-on and a request to the server that runs in a process of its own; what it answers."""
    url = f"https://{system.config.acm1.listen}/acm1/v1"
    headers = {"Authorization": "Bearer admin", "Idempotency-Key": "key"}
    answers = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False), headers=headers) as http:
        for path, document in (
            ("/sessions", {"account": "admin", "password": PASSWORD}),
            ("/requests", submission()),
        ):
            async with http.post(url + path, json=document) as reply:
                answers.append(reply.status)
    return answers


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Every system call of a server that starts, takes a log-on and a request, delivers it, and stops."""
    require_strace()
    folder = tmp_path_factory.mktemp("unit")

    async def scenario() -> None:
        async with two_systems(folder / "systems", start=False) as (police, fire):
            fire.clock.now = datetime.now(UTC)
            await fire.start()
            metrics = ("env", "ACMX_METRICS_LISTEN=127.0.0.1:0")
            strace = ("strace", "-f", "-qq", "-o", str(folder / "trace"))
            with serving(police.directory, *metrics, *strace) as server:
                assert await ask(police) == [201, 201]
                await eventually(lambda: fire.counts("exchange"), lambda found: found["exchange"], within=120)
                assert await asyncio.to_thread(server.end, signal.SIGTERM) == 0

    asyncio.run(scenario())
    return (folder / "trace").read_text()


def test_a_server_at_work_makes_no_call_that_is_forbidden(trace: str) -> None:
    allowed, denied = settings("SystemCallFilter")
    permitted = calls(allowed) - calls(denied.removeprefix("~"))
    called = set(re.findall(r"^\d+ +([a-z0-9_]+)\(", trace, re.MULTILINE))
    assert {"fdatasync", "accept4", "sendto"} & called
    assert called - permitted - AS_ROOT == set()


def test_it_opens_no_other_kind_of_socket(trace: str) -> None:
    (families,) = settings("RestrictAddressFamilies")
    opened = set(re.findall(r"\bsocket(?:pair)?\((AF_[A-Z0-9]+)", trace))
    assert "AF_INET" in opened
    assert opened - set(families.split()) == set()


def test_it_makes_no_memory_executable(trace: str) -> None:
    assert settings("MemoryDenyWriteExecute") == ["yes"]
    assert re.search(r"mmap\(.*PROT_READ\|PROT_EXEC", trace)
    assert not re.findall(r"mmap\([^)]*PROT_WRITE\|PROT_EXEC.*", trace)
    assert not re.findall(r"mprotect\([^)]*PROT_EXEC.*", trace)

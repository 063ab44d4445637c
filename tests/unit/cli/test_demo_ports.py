"""A port that is told to a server before it listens is nobody else's."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from acmx.cli.demo.ports import reserve_port

MANY = 300
ASKS = f"""
from acmx.cli.demo.ports import reserve_port
print(*[reserve_port() for _ in range({MANY})], flush=True)
input()
"""


@pytest.mark.sqlite
def test_several_processes_never_get_the_same_port_nor_the_system_gives_it_away() -> None:
    others = [
        subprocess.Popen(
            [sys.executable, "-c", ASKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    given = [reserve_port() for _ in range(MANY)]
    for other in others:
        given += map(int, other.stdout.readline().split())
    assert len(set(given)) == 4 * MANY
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(given) < lowest
    for port in given:
        socket.create_server(("127.0.0.1", port)).close()
    for other in others:
        other.communicate("\n")

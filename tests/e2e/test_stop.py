"""How a server process ends: the first signal asks, the second one ends it at once."""

import signal
import socket
import ssl
import time
from pathlib import Path

import pytest

from support.systems.processes import WITHIN, prepared, serving
from support.systems.systems import System

pytestmark = pytest.mark.slow


def unfinished_request(system: System) -> ssl.SSLSocket:
    """A request that the server waits for the body of, which never comes: it is under way for as long as it may."""
    host, _, port = system.config.acm1.listen.rpartition(":")
    context = ssl.create_default_context(cafile=system.directory / "tls" / "acm1.pem")
    context.check_hostname = False
    connection = context.wrap_socket(socket.create_connection((host, int(port)), timeout=5))
    head = b"POST /acm1/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"
    connection.sendall(head)
    assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
    connection.sendall(b"{")
    return connection


@pytest.mark.parametrize("signals", [1, 2])
def test_one_signal_gives_ten_seconds_and_a_second_one_none(signals: int, tmp_path: Path) -> None:
    system = prepared(tmp_path)
    with serving(system.directory) as server, unfinished_request(system):
        server.popen.send_signal(signal.SIGTERM)
        server.says("stopping")
        began = time.monotonic()
        if signals == 2:
            server.popen.send_signal(signal.SIGTERM)
        status = server.popen.wait(WITHIN)
        took = time.monotonic() - began
    if signals == 1:
        assert status == 0
        assert 4.0 < took < 10.0
    else:
        assert status == 128 + signal.SIGTERM
        assert took < 3.0

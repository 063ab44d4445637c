"""Server processes: begun, asked for their CPU time, and always ended."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.systems import TOKEN

from acmx import config
from acmx.client import Client

_PATIENCE_S = 60.0
_LOOK_S = 0.05


@contextmanager
def running(*command: str, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process with its standard output at hand; asked to end, then made to."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


class Server:
    """`acmx serve` on a directory, begun and ended at will; what it says goes into `server.log` there."""

    def __init__(self, directory: Path) -> None:
        given = config.read(directory / "config.toml")
        self.directory = directory
        self.ports = config.endpoint(given.acm1.listen)[1], config.endpoint(given.acm2.listen)[1]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "acmx", "serve", str(self.directory)],
                stdin=subprocess.DEVNULL,
                stderr=log,
            )

    @property
    def ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def listening(self) -> None:
        """Wait until both listeners answer."""
        for port in self.ports:
            wait_for(port)

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is told."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """SIGSTOP: connections are still taken by the kernel, and nothing comes back."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_PATIENCE_S)

    def resident(self) -> float:
        """VmRSS, in MiB."""
        status = Path(f"/proc/{self._process.pid if self._process else 0}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def cpu_seconds(self) -> float:
        return cpu_seconds(self._process.pid if self._process else 0)

    def client(self) -> Client:
        """With every role."""
        return Client(
            f"https://127.0.0.1:{self.ports[0]}", TOKEN, certificate=self.directory / "tls" / "acm1.pem"
        )


@contextmanager
def serving(*servers: Server) -> Iterator[None]:
    """They were begun at once and listen; they are ended with this."""
    with ExitStack() as stack:
        for server in servers:
            server.start()
            stack.callback(server.stop)
        for server in servers:
            server.listening()
        yield


def wait_for(port: int) -> None:
    """Until something listens on this port of the loopback address."""
    until(lambda: _listens(port))


def _listens(port: int) -> bool:
    with suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    return False


def until(is_so: Callable[[], Any], *, within: float = _PATIENCE_S, told: Callable[[], str] = str) -> None:
    """Look at other processes again and again. Raises TimeoutError after so many seconds, with what is `told`."""
    end = time.monotonic() + within
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(told())
        time.sleep(_LOOK_S)


def cpu_seconds(pid: int) -> float:
    """Processor time, user and system, of all threads that a process has."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

"""Between a store and its PostgreSQL: the database goes away, or the answer to a COMMIT does."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

COMMIT = b"COMMIT\0"


class Fault(Enum):
    """What becomes of the connections."""

    NONE = auto()
    AWAY = auto()
    """Nobody listens, as it looks from here; what is open ends."""
    COMMIT_LOST = auto()
    """The next COMMIT never arrives, and its connection ends."""
    ANSWER_LOST = auto()
    """The next COMMIT arrives and is done, but its connection ends before the answer."""


class PostgresProxy:
    """`url` leads through it. `then` is called when the next COMMIT is lost, or the answer to it."""

    def __init__(self, url: str) -> None:
        found = conninfo_to_dict(url)
        self._host, self._port = str(found.get("host") or "localhost"), int(found.get("port") or 5432)
        self._folder = TemporaryDirectory(prefix="acmx-proxy-")
        self.url = make_conninfo(url, host=self._folder.name, port="5432")
        self.fault = Fault.NONE
        self.then: Callable[[], object] = lambda: None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(Path(self._folder.name, ".s.PGSQL.5432")))
        self._listener.listen()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._folder.cleanup()

    def go_away(self) -> None:
        self.fault = Fault.AWAY
        self.cut()

    def cut(self) -> None:
        """Every connection ends."""
        for pair in self._pairs:
            _end(*pair)

    def _strike(self) -> None:
        self.fault = Fault.NONE
        self.then()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.fault is Fault.AWAY:
                client.close()
                continue
            server = self._connected()
            self._pairs.append((client, server))
            for pump in (self._up, self._down):
                threading.Thread(target=pump, args=(client, server), daemon=True).start()

    def _connected(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port))
        there = socket.socket(socket.AF_UNIX)
        there.connect(f"{self._host}/.s.PGSQL.{self._port}")
        return there

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := client.recv(65536):
                if COMMIT in piece and self.fault is Fault.COMMIT_LOST:
                    self._strike()
                    break
                server.sendall(piece)
        _end(client, server)

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := server.recv(65536):
                if self.fault is Fault.ANSWER_LOST and COMMIT in piece:
                    self._strike()
                    break
                client.sendall(piece)
        _end(client, server)


def _end(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()

"""Between acmx and its PostgreSQL: the database goes away, or a COMMIT, or the answer to one, is lost or held back.

Of the protocol it knows a query that is nothing but COMMIT, and where the transaction before it began.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

COMMIT = b"Q\0\0\0\x0bCOMMIT\0"
DONE = b"C\0\0\0\x0bCOMMIT\0"


class Fault(Enum):
    """What becomes of the connections; besides AWAY it strikes the next COMMIT that is told of, and is over."""

    NONE = auto()
    AWAY = auto()
    """Nobody listens, as it looks from here; what is open ends."""
    COMMIT_LOST = auto()
    """The COMMIT never arrives, and its connection ends."""
    ANSWER_LOST = auto()
    """The COMMIT arrives and is done, but its connection ends before the answer."""
    COMMIT_HELD = auto()
    """The COMMIT waits here until `let_go`."""
    ANSWER_HELD = auto()
    """The COMMIT arrives; whatever comes back, be it the end, waits here until `let_go`."""


class PostgresProxy:
    """`url` leads through it. `then` is called when the next COMMIT is lost, or the answer to it."""

    def __init__(self, url: str) -> None:
        found = conninfo_to_dict(url)
        self._host, self._there = str(found.get("host") or "localhost"), int(found.get("port") or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = make_conninfo(url, host="127.0.0.1", port=str(self.port))
        self.fault = Fault.NONE
        self.then: Callable[[], object] = lambda: None
        self._about = b""
        self.struck = threading.Event()
        self._go = threading.Event()
        self._ways: list[_Way] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def inject(self, fault: Fault, about: bytes = b"") -> None:
        """`about`: bytes that the transaction holds which it strikes, a key for instance; any if there are none.

        `struck` is set when it has happened; of an answer that is held, when the COMMIT has been handed on.
        """
        self.struck.clear()
        self._go.clear()
        self._about, self.fault = about, fault

    def go_away(self) -> None:
        self.fault = Fault.AWAY
        self.cut()

    def cut(self) -> None:
        """Every connection ends, also what is held."""
        ways, self._ways = self._ways, []
        for way in ways:
            way.end()
        self._go.set()

    def let_go(self) -> None:
        """What is held goes on."""
        self._go.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = self._connected()
            except OSError:
                client.close()
                continue
            way = _Way(client, server)
            self._ways.append(way)
            for pump in (self._up, self._down):
                threading.Thread(target=pump, args=(way,), daemon=True).start()

    def _connected(self) -> socket.socket:
        if self.fault is Fault.AWAY:
            raise ConnectionRefusedError
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._there))
        there = socket.socket(socket.AF_UNIX)
        try:
            there.connect(f"{self._host}/.s.PGSQL.{self._there}")
        except OSError:
            there.close()
            raise
        return there

    def _up(self, way: "_Way") -> None:
        with suppress(OSError):
            while piece := way.client.recv(65536):
                if self._strikes(way, piece):
                    fault, self.fault = self.fault, Fault.NONE
                    if fault is Fault.COMMIT_LOST:
                        self.then()
                        break
                    if fault is Fault.COMMIT_HELD:
                        self.struck.set()
                        self._go.wait()
                    else:
                        way.fault = fault
                        way.server.sendall(piece)
                        self.struck.set()
                        continue
                way.server.sendall(piece)
        way.end()

    def _strikes(self, way: "_Way", piece: bytes) -> bool:
        """The fault to come, if this piece ends a transaction that it is about."""
        way.said += piece
        if COMMIT not in piece:
            return False
        said, way.said = way.said, b""
        return self.fault not in (Fault.NONE, Fault.AWAY) and self._about in said

    def _down(self, way: "_Way") -> None:
        with suppress(OSError):
            while piece := way.server.recv(65536):
                if way.fault is Fault.ANSWER_LOST:
                    self.then()
                    break
                if way.fault is Fault.ANSWER_HELD:
                    self._go.wait()
                way.client.sendall(piece)
        if way.fault is Fault.ANSWER_HELD:
            self._go.wait()
        way.end()


class _Way:
    """A connection, both its ends."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.fault = Fault.NONE
        self.said = b""

    def end(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

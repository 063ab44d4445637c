"""Between acmx and its PostgreSQL: the database goes away, or a COMMIT, or the answer to one, is lost or held back.

Of the protocol it knows a statement that is nothing but COMMIT, prepared or not.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

BEFORE_THE_START = (80877103, 80877104)
"""Whether the server encrypts is asked for in messages of the same form as that which begins a session."""


class Fault(Enum):
    """What becomes of the connections; besides AWAY it strikes the next COMMIT that is told of, and is over."""

    NONE = auto()
    AWAY = auto()
    """Nobody listens, as it looks from here; what is open ends."""
    COMMIT_LOST = auto()
    """The COMMIT never arrives, and its connection ends."""
    ANSWER_LOST = auto()
    """The COMMIT arrives and is done, but its connection ends before the answer."""
    HELD = auto()
    """The COMMIT waits here until `hand_on`, and whatever comes back, be it the end, until `let_go`."""


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
        self.struck, self.answered = threading.Event(), threading.Event()
        self._further, self._back = threading.Event(), threading.Event()
        self._ways: list[_Way] = []
        self._silent_at: bytes | None = None

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def inject(self, fault: Fault, about: bytes = b"") -> None:
        """`about`: bytes that the transaction holds which it strikes, a key for instance; any if there are none.

        `struck` is set when a COMMIT is held, `answered` when its answer is.
        """
        for event in (self.struck, self.answered, self._further, self._back):
            event.clear()
        self._about, self.fault = about, fault

    def fall_silent(self, at: bytes) -> None:
        """From what holds these bytes on nothing gets through on open connections, and none of them ends."""
        self._silent_at = at

    def go_away(self) -> None:
        self.fault = Fault.AWAY
        self.cut()

    def cut(self) -> None:
        """Every connection ends; a COMMIT that is held never arrives."""
        ways, self._ways = self._ways, []
        self._silent_at = None
        for way in ways:
            way.end()
        self.let_go()

    def hand_on(self) -> None:
        """The COMMIT that is held."""
        self._further.set()

    def let_go(self) -> None:
        """What is held goes on, both ways."""
        self._further.set()
        self._back.set()

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
                if way.silent or (self._silent_at is not None and self._silent_at in piece):
                    way.silent = True
                    continue
                if self._strikes(way, piece):
                    way.fault, self.fault = self.fault, Fault.NONE
                    if way.fault is Fault.COMMIT_LOST:
                        self.then()
                        break
                    if way.fault is Fault.HELD:
                        self.struck.set()
                        self._further.wait()
                way.server.sendall(piece)
        way.end()

    def _strikes(self, way: "_Way", piece: bytes) -> bool:
        """Whether a transaction ends here that the fault is about."""
        commits, armed = way.commits(piece), self.fault not in (Fault.NONE, Fault.AWAY)
        said = way.said + piece if armed else b""
        way.said = b"" if commits else said
        return commits and armed and self._about in said

    def _down(self, way: "_Way") -> None:
        with suppress(OSError):
            while piece := way.server.recv(65536):
                if way.fault is Fault.ANSWER_LOST:
                    self.then()
                    break
                if way.fault is Fault.HELD:
                    self.answered.set()
                    self._back.wait()
                    way.fault = Fault.NONE
                way.client.sendall(piece)
        if way.fault is Fault.HELD:
            self._back.wait()
        way.end()


class _Way:
    """A connection, both its ends; `said`: by the client since its last COMMIT, while a fault is to come."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.fault = Fault.NONE
        self.said = b""
        self.silent = False
        self._begun = False
        self._rest = b""
        self._prepared: set[bytes] = set()

    def commits(self, piece: bytes) -> bool:
        """Whether a COMMIT ends in what the client says now."""
        self._rest += piece
        found = False
        while message := self._next():
            found |= self._is_commit(*message)
        return found

    def _next(self) -> tuple[bytes, bytes] | None:
        """The next message that is whole: its type, none before the session begins, and what follows the length."""
        head = 1 if self._begun else 0
        end = head + int.from_bytes(self._rest[head : head + 4])
        if len(self._rest) < max(end, head + 4):
            return None
        type_, said, self._rest = self._rest[:head], self._rest[head + 4 : end], self._rest[end:]
        self._begun = self._begun or int.from_bytes(said[:4]) not in BEFORE_THE_START
        return type_, said

    def _is_commit(self, type_: bytes, said: bytes) -> bool:
        """Of a statement that is prepared (P) the name and the text come first, of its use (B) portal and name."""
        if type_ == b"P":
            name, text, _ = said.split(b"\0", 2)
            (self._prepared.add if text == b"COMMIT" else self._prepared.discard)(name)
        return (type_ == b"Q" and said == b"COMMIT\0") or (
            type_ == b"B" and said.split(b"\0", 2)[1] in self._prepared
        )

    def end(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

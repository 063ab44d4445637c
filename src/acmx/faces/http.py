"""HTTP/1.1 on one connection: uvicorn's, with bounds on what a client may send and on how slowly."""

import asyncio
from collections.abc import Callable

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from acmx.faces.proxied import Address
from acmx.faces.tally import Tally
from acmx.trust.certificates import fingerprint

HEAD_LIMIT = 65_536
"""Bytes of a message that are not its body: request line and header fields, with chunk sizes and trailer fields."""

_END = b"\r\n\r\n"
"""Of a head, and of a body in chunks: the parser takes no other."""

_INVALID = "Invalid HTTP request received."
_TOO_LARGE = "The head of the message is too large."
_UPGRADE = "An upgrade to another protocol was asked for."

_ARRIVES_SECONDS = 20.0
_SLOWEST = 16_384


class Http(HttpToolsProtocol):
    """HTTP/1.1 that knows whose certificate was shown, and bounds the head of a message, idleness and slowness.

    The first message has 20 s to begin. Each has 20 s to arrive and a second more for each 16 KiB of its body; while
    the application does not take what has arrived, no time passes.
    """

    made = False
    peer_certificate: str | None = None
    _head = 0
    _in_body = False
    _tail = b""
    _awaited = 0
    _body = 0
    _began = 0.0
    _slow: asyncio.TimerHandle | None = None

    def __init__(
        self,
        config: Config,
        state: ServerState,
        client: Address,
        tally: Tally,
        asks: Callable[[], None],
        rests: Callable[[], None],
        leave: Callable[[], None],
    ) -> None:
        """`asks` is called when the head of a message is there, `rests` when all that was asked is answered.

        `leave` is called when a connection that was made is lost.
        """
        super().__init__(config, state, {})
        self._client, self._tally = client, tally
        self._asks, self._rests, self.leave = asks, rests, leave

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.made = True
        self.client = self._client
        tls = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(True) if tls else None
        self.peer_certificate = fingerprint(certificate) if certificate else None
        self.timeout_keep_alive_task = self.loop.call_later(_ARRIVES_SECONDS, self.timeout_keep_alive_handler)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"tls": {"peer_certificate": self.peer_certificate}}

    def data_received(self, data: bytes) -> None:
        """Give the parser no more of a head than its limit, and nothing of a message with the end of the one before it.

        So none is over the limit unseen, whatever comes in one read.
        """
        self._unset_keepalive_if_required()
        start = 0
        while start < len(data) and not self.transport.is_closing():
            room = len(data) if self._in_body else HEAD_LIMIT - self._head
            end = min(self._may_end(data, start), start + room)
            if room:
                self._parse(data[start:end])
            if self._head > HEAD_LIMIT or not room:
                self.send_400_response(_TOO_LARGE)
            start = end
        if self._head and self._slow is None and not self.transport.is_closing():
            self._began = self.loop.time()
            self._slow = self.loop.call_later(_ARRIVES_SECONDS, self._look_if_slow)

    def _may_end(self, data: bytes, start: int) -> int:
        """Where the message may end that goes on at `start`."""
        if self._awaited:
            return start + self._awaited
        seam = (self._tail + data[start : start + 3]).find(_END)
        if seam >= 0:
            return start + seam + len(_END) - len(self._tail)
        found = data.find(_END, start)
        return found + len(_END) if found >= 0 else len(data)

    def _parse(self, data: bytes) -> None:
        self._head += len(data)
        self._tail = (self._tail + data[-3:])[-3:]
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.send_400_response(_INVALID)
        except httptools.HttpParserUpgrade:
            self._tally.note(_UPGRADE, self._client[0])

    def send_400_response(self, msg: str) -> None:
        self._tally.note(msg, self._client[0])
        super().send_400_response(msg)

    def on_headers_complete(self) -> None:
        self._in_body = True
        self._awaited = sum(int(value) for name, value in self.headers if name == b"content-length")
        self._asks()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head -= len(body)
        self._awaited = max(self._awaited - len(body), 0)
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._forget_message()
        super().on_message_complete()
        if self.cycle.response_complete:
            self._rest()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None and not self._head:
            self._rest()

    def _rest(self) -> None:
        """Forget what was asked; a body that came after its answer has ended uvicorn's own wait."""
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        self.cycle = self.scope = self.headers = None  # type: ignore[assignment]
        self._rests()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_message()
        super().connection_lost(exc)
        self.leave()

    def _forget_message(self) -> None:
        self._head = self._body = self._awaited = 0
        self._in_body, self._tail = False, b""
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _look_if_slow(self) -> None:
        if self.flow.read_paused:
            self._began = self.loop.time()
        left = self._began + _ARRIVES_SECONDS + self._body / _SLOWEST - self.loop.time()
        if left <= 0:
            self.transport.abort()
        else:
            self._slow = self.loop.call_later(left, self._look_if_slow)

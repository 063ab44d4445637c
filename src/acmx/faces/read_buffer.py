"""One buffer for all TLS connections of a listener to read into, from their first byte on.

asyncio keeps 256 KiB for each of them as long as it lasts, though what arrives is taken out of the buffer before the
event loop does anything else. An idle stream of notifications would cost 300 KiB; with this it costs a fifth of that,
whatever was read and written before.
"""

import asyncio
import socket
import ssl
from asyncio import sslproto
from collections.abc import Iterable
from typing import Any

_PIECE = 16_384
"""Bytes, of a read and of a write: what OpenSSL reads from and writes into keeps its largest size."""


_Protocol: Any = sslproto.SSLProtocol


class _Lean(_Protocol):  # type: ignore[misc]
    """Made without a buffer, as it is given one. What waits to be sent waits at the socket, which forgets it."""

    max_size = 0

    def _write_appdata(self, list_of_data: Iterable[bytes]) -> None:
        for data in list_of_data:
            view = memoryview(data)
            for start in range(0, len(view), _PIECE):
                super()._write_appdata((view[start : start + _PIECE],))

    def _process_outgoing(self) -> None:
        if data := self._outgoing.read():
            self._transport.write(data)
        self._control_app_writing()

    def _get_write_buffer_size(self) -> int:
        waiting = self._transport.get_write_buffer_size() if self._transport else 0
        return int(super()._get_write_buffer_size() + waiting)


class ReadBuffer:
    """Belongs to one event loop. Reaches into asyncio's own members, as there is no other way: a test looks at them."""

    def __init__(self) -> None:
        self._bytes = bytearray(_PIECE)
        self._view = memoryview(self._bytes)

    async def shake_hands(
        self, http: asyncio.Protocol, connection: socket.socket, context: ssl.SSLContext, within: float
    ) -> None:
        """Serve TLS on a connection, to which `http` is connected then.

        Raises SSLError; ConnectionAbortedError where it takes more than `within` seconds; OSError.
        """
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        tls = _Lean(loop, http, context, done, server_side=True, ssl_handshake_timeout=within)
        tls._ssl_buffer, tls._ssl_buffer_view = self._bytes, self._view  # noqa: SLF001
        tls.max_size = len(self._bytes)
        tls._set_read_buffer_limits(_PIECE)  # noqa: SLF001
        transport, _ = await loop.connect_accepted_socket(lambda: tls, connection)
        try:
            await done
        except BaseException:
            transport.abort()
            raise

"""One buffer for all TLS connections of a listener to read into, from their first byte on.

asyncio keeps 256 KiB for each of them as long as it lasts, though what arrives is taken out of the buffer before the
event loop does anything else. An idle stream of notifications would cost 300 KiB; with this it costs a fifth of that.
"""

import asyncio
import socket
import ssl
from asyncio import sslproto
from typing import Any


class _WithoutBuffer(sslproto.SSLProtocol):
    """None is made with it: it is given one."""

    max_size = 0


class ReadBuffer:
    """Belongs to one event loop. Reaches into asyncio's own members, as there is no other way: a test looks at them."""

    def __init__(self) -> None:
        self._bytes = bytearray(sslproto.SSLProtocol.max_size)
        self._view = memoryview(self._bytes)

    async def shake_hands(
        self, http: asyncio.Protocol, connection: socket.socket, context: ssl.SSLContext, within: float
    ) -> None:
        """Serve TLS on a connection, to which `http` is connected then.

        Raises SSLError; ConnectionAbortedError where it takes more than `within` seconds; OSError.
        """
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        made: Any = _WithoutBuffer
        tls = made(loop, http, context, done, server_side=True, ssl_handshake_timeout=within)
        tls._ssl_buffer, tls._ssl_buffer_view = self._bytes, self._view  # noqa: SLF001
        tls.max_size = len(self._bytes)
        transport, _ = await loop.connect_accepted_socket(lambda: tls, connection)
        try:
            await done
        except BaseException:
            transport.abort()
            raise

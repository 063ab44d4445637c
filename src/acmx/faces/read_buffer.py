"""One buffer for all TLS connections of a listener to read into.

asyncio keeps 256 KiB for each of them as long as it lasts, though what arrives is taken out of the buffer before the
event loop does anything else. An idle stream of notifications would cost 300 KiB; with this it costs a fifth of that.
"""

import asyncio
from asyncio import sslproto


class ReadBuffer:
    """Belongs to one event loop. Reaches into asyncio's own members, as there is no other way: a test looks at them."""

    def __init__(self) -> None:
        self._bytes = bytearray(sslproto.SSLProtocol.max_size)
        self._view = memoryview(self._bytes)

    def give_to(self, transport: asyncio.Transport) -> None:
        """In place of its own, where it has one."""
        protocol = getattr(transport, "_ssl_protocol", None)
        if protocol is not None:
            protocol._ssl_buffer, protocol._ssl_buffer_view = self._bytes, self._view  # noqa: SLF001

"""The door of a face: accepts TCP connections, does the TLS handshake and hands HTTP to the application.

HTTP is uvicorn's. Accepting is our own, because uvicorn's server never hears of a handshake that failed: here
the reason and the address are told to `on_refused`. No signal handlers are installed; several listeners share
one loop.
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from email.utils import formatdate

from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.server import ServerState

from acmx.faces.http import Http
from acmx.faces.proxied import Address, announced
from acmx.faces.read_buffer import ReadBuffer
from acmx.faces.tally import Tally

_BACKLOG = 1024
_HANDSHAKE_SECONDS = 10.0
_IDLE_SECONDS = 75
_UNREAD_SECONDS = 60.0
_MOST, _MOST_OF_ONE = 16_384, 1024
"""Connections at a time: of all clients, and of one address."""

_LISTEN_AGAIN_SECONDS = 0.1
_LOOK_AGAIN_SECONDS = 0.02
_ABANDON_SECONDS = 1.0


class Listener:
    """One face on one address; without a `context` it speaks plain HTTP.

    The application finds the SHA-256 fingerprint (64 hexadecimal digits) of the client's certificate, or
    None, in `scope["extensions"]["tls"]["peer_certificate"]`. `on_refused(reason, address)` is called on the
    loop for each handshake that failed, `address` being the client's IP address; reasons are a bounded set of
    OpenSSL's words. A client that leaves before the handshake is over was refused by nobody and is not told
    of.
    """

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        on_refused: Callable[[str, str], None],
        proxies: Collection[str] = (),
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        """`proxies`: the only IP addresses that may connect, and that say for whom (PROXY protocol); none: anybody.

        `headers`: of every answer.
        """
        self._address = (host, port)
        self._proxies = frozenset(proxies)
        self._context = context
        self._on_refused = on_refused
        self._state = ServerState()
        self._config = Config(
            app,
            interface="asgi3",
            http=Http,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=_IDLE_SECONDS,
        )
        self._handshakes: set[asyncio.Task[None]] = set()
        self._open: Counter[str] = Counter()
        self._buffer = ReadBuffer()
        self._tally = Tally()
        self._headers = headers
        self._listen_again: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        """The actual one where 0 was asked for."""
        port: int = self._socket.getsockname()[1]
        return port

    async def start(self) -> None:
        """Listen. Raises OSError where the address cannot be had."""
        host, _ = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server(self._address, family=family, backlog=_BACKLOG)
        self._socket.setblocking(False)
        self._config.load()
        self._loop = asyncio.get_running_loop()
        self._date = self._loop.create_task(self._keep_date())
        self._listen()

    def use(self, context: ssl.SSLContext) -> None:
        """Shake hands with this context from the next connection on."""
        self._context = context

    async def stop(self, grace: float) -> None:
        """Take no more connections, give the requests under way `grace` seconds, then cut the rest off.

        Takes at most `grace` and a few seconds. A second stop does nothing.
        """
        if self._socket.fileno() == -1:
            return
        if self._listen_again is not None:
            self._listen_again.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()
        await _cancel([self._date])
        await _cancel(self._handshakes)
        for connection in list(self._state.connections):
            connection.shutdown()
        await self._wait_for_connections(grace)
        for connection in list(self._state.connections):
            connection.transport.abort()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=_ABANDON_SECONDS)
        await _cancel(self._state.tasks)

    def hang_up(self, certificates: Collection[str]) -> None:
        """End the connections on which these certificates were shown, once the request under way is answered."""
        for connection in list(self._state.connections):
            if getattr(connection, "peer_certificate", None) in certificates:
                connection.shutdown()

    def _listen(self) -> None:
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        try:
            connection, address = self._socket.accept()
        except BlockingIOError:
            return
        except OSError:  # no file descriptors left: waiting would only spin
            self._loop.remove_reader(self._socket)
            self._listen_again = self._loop.call_later(_LISTEN_AGAIN_SECONDS, self._listen)
            return
        if (reason := self._objection(address[0])) is not None:
            connection.close()
            self._on_refused(reason, address[0])
            return
        self._open[address[0]] += 1
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(_UNREAD_SECONDS * 1000))
        handshake = self._loop.create_task(self._welcome(connection, address[:2]))
        self._handshakes.add(handshake)
        handshake.add_done_callback(self._handshakes.discard)

    def _objection(self, address: str) -> str | None:
        if self._proxies and address not in self._proxies:
            return "not a proxy"
        full = self._open.total() >= _MOST or (not self._proxies and self._open[address] >= _MOST_OF_ONE)
        return "too many connections" if full else None

    async def _welcome(self, connection: socket.socket, peer: Address) -> None:
        client = await self._announced(connection, peer) if self._proxies else peer
        if client is None:
            return
        address = client[0]
        http = Http(
            self._config, self._state, lambda: self._leave(address), client, self._buffer, self._tally
        )
        try:
            await self._loop.connect_accepted_socket(
                lambda: http,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS if self._context else None,
            )
        except ssl.SSLCertVerificationError as error:
            self._on_refused(error.verify_message, address)
        except ssl.SSLError as error:
            self._on_refused((error.reason or "TLS error").replace("_", " ").lower(), address)
        except ConnectionAbortedError:
            self._on_refused("the handshake took too long", address)
        except OSError:
            return
        finally:
            if not http.made:
                http.leave()

    async def _announced(self, connection: socket.socket, proxy: Address) -> Address | None:
        """For whom the proxy connects, counted in its place; None where that is refused."""
        client: Address | None = None
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                client = await announced(connection) or proxy
            if client[0] != proxy[0] and self._open[client[0]] >= _MOST_OF_ONE:
                self._on_refused("too many connections", client[0])
                client = None
        except (ValueError, TimeoutError) as error:
            self._on_refused(str(error) or "the handshake took too long", proxy[0])
        except OSError:
            return None
        finally:
            self._leave(proxy[0])
            if client is None:
                connection.close()
            else:
                self._open[client[0]] += 1
        return client

    def _leave(self, address: str) -> None:
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

    async def _keep_date(self) -> None:
        while True:
            self._state.default_headers = [(b"date", formatdate(usegmt=True).encode()), *self._headers]
            await asyncio.sleep(1)

    async def _wait_for_connections(self, grace: float) -> None:
        deadline = self._loop.time() + grace
        while self._state.connections and self._loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)


async def _cancel(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_ABANDON_SECONDS)

"""The door of a face: accepts TCP connections, does the TLS handshake and hands HTTP to the application.

HTTP is uvicorn's. Accepting is our own, because uvicorn's server never hears of a handshake that failed: here
the reason and the address are told to `on_refused`. No signal handlers are installed; several listeners share
one loop.
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Sequence
from email.utils import formatdate
from functools import partial
from typing import Any

from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.server import ServerState

from acmx.domain.networks import network_of
from acmx.faces.http import Http
from acmx.faces.newcomers import Newcomer, Newcomers
from acmx.faces.proxied import Address, announced
from acmx.faces.read_buffer import ReadBuffer
from acmx.faces.tally import Tally

_BACKLOG = 1024
_HANDSHAKE_SECONDS = 10.0
_IDLE_SECONDS = 75
_UNREAD_SECONDS = 60.0
_MOST, _MOST_OF_ONE = 16_384, 1024
"""Connections at a time: of all clients, and of one address (of IPv6: one network of 64 bits)."""

_MOST_NEW, _MOST_NEW_OF_ONE = 1024, 512
"""Those among them that have asked for nothing yet."""

_MOST_AT_REST, _MOST_AT_REST_OF_ONE = 4096, 512
"""Those whose requests are all answered."""

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
        self._newcomers = Newcomers(_MOST_NEW, _MOST_NEW_OF_ONE)
        self._at_rest = Newcomers(_MOST_AT_REST, _MOST_AT_REST_OF_ONE)
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
        for newcomer in self._newcomers:
            newcomer.end()
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
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(_UNREAD_SECONDS * 1000))
        self._open[network_of(address[0])] += 1
        if self._proxies:
            self._under_way(self._announced(connection, address[:2]))
        else:
            self._await_word(connection, address[:2])

    def _objection(self, address: str) -> str | None:
        if self._proxies and address not in self._proxies:
            return "not a proxy"
        full = self._open.total() >= _MOST or (not self._proxies and self._has_its_share(address))
        return "too many connections" if full else None

    def _has_its_share(self, address: str) -> bool:
        return self._open[network_of(address)] >= _MOST_OF_ONE

    def _await_word(self, connection: socket.socket, client: Address) -> None:
        """Until a client says something it costs a socket and a timer."""
        newcomer = Newcomer(client)
        newcomer.end = partial(self._dismiss, newcomer, connection)
        newcomer.too_slow = self._loop.call_later(_HANDSHAKE_SECONDS, self._too_slow, newcomer)
        self._loop.add_reader(connection, self._spoke, newcomer, connection)
        if (gone := self._newcomers.enter(newcomer)) is not None:
            gone.end()
            self._on_refused("too many connections that ask for nothing", gone.client[0])

    def _dismiss(self, newcomer: Newcomer, connection: socket.socket) -> None:
        newcomer.too_slow.cancel()
        self._loop.remove_reader(connection)
        connection.close()
        self._leave(newcomer)

    def _too_slow(self, newcomer: Newcomer) -> None:
        newcomer.end()
        self._on_refused("the handshake took too long", newcomer.client[0])

    def _spoke(self, newcomer: Newcomer, connection: socket.socket) -> None:
        """Or has left, and then nothing begins."""
        try:
            word = connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            word = b""
        if not word:
            newcomer.end()
            return
        newcomer.too_slow.cancel()
        self._loop.remove_reader(connection)
        self._begin_http(newcomer, connection)

    def _begin_http(self, newcomer: Newcomer, connection: socket.socket) -> None:
        asks, rests = partial(self._asks, newcomer), partial(self._rests, newcomer)
        leave = partial(self._leave, newcomer)
        http = Http(self._config, self._state, newcomer.client, self._tally, asks, rests, leave)

        def close_unless_made(_: asyncio.Task[None]) -> None:
            if http.made:
                newcomer.end = http.transport.abort
            else:
                connection.close()
                leave()

        task = self._under_way(self._welcome(http, connection, newcomer.client[0]))
        task.add_done_callback(close_unless_made)
        newcomer.end = task.cancel

    def _under_way(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)
        return task

    async def _welcome(self, http: Http, connection: socket.socket, address: str) -> None:
        try:
            if self._context is None:
                await self._loop.connect_accepted_socket(lambda: http, connection)
            else:
                await self._buffer.shake_hands(http, connection, self._context, _HANDSHAKE_SECONDS)
        except ssl.SSLCertVerificationError as error:
            self._on_refused(error.verify_message, address)
        except ssl.SSLError as error:
            self._on_refused((error.reason or "TLS error").replace("_", " ").lower(), address)
        except ConnectionAbortedError:
            self._on_refused("the handshake took too long", address)
        except OSError:
            return

    async def _announced(self, connection: socket.socket, proxy: Address) -> None:
        """Take the connection for whom the proxy says, counted in its place."""
        client: Address | None = None
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                client = await announced(connection) or proxy
            if client[0] != proxy[0] and self._has_its_share(client[0]):
                self._on_refused("too many connections", client[0])
                client = None
        except (ValueError, TimeoutError) as error:
            self._on_refused(str(error) or "the handshake took too long", proxy[0])
        except OSError:
            client = None
        finally:
            self._uncount(network_of(proxy[0]))
            if client is None:
                connection.close()
        if client is not None:
            self._open[network_of(client[0])] += 1
            self._await_word(connection, client)

    def _asks(self, newcomer: Newcomer) -> None:
        self._newcomers.leave(newcomer)
        self._at_rest.leave(newcomer)

    def _rests(self, newcomer: Newcomer) -> None:
        if (gone := self._at_rest.enter(newcomer)) is not None:
            gone.end()

    def _leave(self, newcomer: Newcomer) -> None:
        self._asks(newcomer)
        self._uncount(newcomer.network)

    def _uncount(self, network: str) -> None:
        self._open[network] -= 1
        if not self._open[network]:
            del self._open[network]

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

"""HTTP to one ACM server: kept connections, replies as structs, failures as errors of the tree."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
from urllib3 import BaseHTTPResponse, HTTPSConnectionPool, Timeout
from urllib3.exceptions import HTTPError

from acmx.client import certificate as certificates
from acmx.client.problems import error_of
from acmx.domain.errors import AcmxError, UnknownCertificate, Unreachable

T = TypeVar("T")

PATH = "/acm1/v1"
TRIES = 4
BLOCK = 65_536
UNAUTHORISED = 401
FIRST_PAUSE = 0.25
READ_SECONDS = 60.0
"""Also the longest silence of a stream: the server's heartbeats come more often."""


class Connection:
    """`pause` waits that many seconds between tries; `renew` gives a token for one that is no good any more."""

    def __init__(
        self,
        url: str,
        certificate: Path | str | None,
        pause: Callable[[float], None],
        renew: Callable[[], str] | None = None,
    ) -> None:
        """Raises FaultyInput."""
        address = certificates.address_of(url)
        pem = certificates.read(certificate) if isinstance(certificate, Path) else certificate
        self.token: str | None = None
        self._url = url
        self._base = (address.path or "").rstrip("/") + PATH
        self._pause = pause
        self._renew = renew
        self._pool = HTTPSConnectionPool(
            str(address.host),
            address.port or certificates.DEFAULT_PORT,
            timeout=Timeout(connect=certificates.CONNECT_SECONDS, read=READ_SECONDS),
            maxsize=4,
            retries=False,
            ssl_context=certificates.context_for(pem),
            assert_fingerprint=certificates.fingerprint(pem) if pem else None,
        )

    def close(self) -> None:
        self._pool.close()

    def get(self, path: str, kind: type[T]) -> T:
        return self.send("GET", path, kind, tries=TRIES)

    def send(
        self,
        method: str,
        path: str,
        kind: type[T],
        document: object = None,
        *,
        headers: dict[str, str] | None = None,
        tries: int = 1,
    ) -> T:
        """The reply as the struct `kind`. More than one of `tries` only where asking twice does no harm.

        Raises the error of the problem document, Unreachable, UnknownCertificate.
        """
        for attempt in range(1, tries + 1):
            try:
                with self._replied(method, path, document, headers or {}) as response:
                    return self._decoded(response, kind)
            except Unreachable:
                if attempt == tries:
                    raise
                self._pause(FIRST_PAUSE * 2 ** (attempt - 1))
        raise AssertionError(tries)

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[bytes]]:
        """The lines of a reply that does not end. Raises as `send`, also while they are read."""
        with self._replied("GET", path, None, {"Accept": "text/event-stream"}) as response:
            try:
                yield _lines(response)
            finally:
                response.close()

    @contextmanager
    def _replied(
        self, method: str, path: str, document: object, headers: dict[str, str]
    ) -> Iterator[BaseHTTPResponse]:
        body = None if document is None else msgspec.json.encode(document)
        try:
            response = self._asked(method, path, body, headers)
            if response.status == UNAUTHORISED and self._renew is not None:
                response.drain_conn()
                self.token = self._renew()
                response = self._asked(method, path, body, headers)
            if response.status >= 300:
                raise error_of(response.status, response.headers.get("content-type", ""), response.data)
            yield response
        except (HTTPError, OSError) as error:
            raise self._failure(error) from error

    def _asked(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> BaseHTTPResponse:
        return self._pool.request(
            method,
            self._base + path,
            body=body,
            headers=self._headers(body) | headers,
            redirect=False,
            preload_content=False,
        )

    def _headers(self, body: bytes | None) -> dict[str, str]:
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return headers if body is None else headers | {"Content-Type": "application/json"}

    def _decoded(self, response: BaseHTTPResponse, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(response.data, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unreachable(f"{self._url} answered with something that is not ACM-1: {error}") from error

    def _failure(self, error: BaseException) -> AcmxError:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return UnknownCertificate(f"{self._url}: {cause.verify_message}")
            cause = cause.__cause__ or cause.__context__
        return Unreachable(f"{self._url}: {error}")


def _lines(response: BaseHTTPResponse) -> Iterator[bytes]:
    """The whole lines of a reply, each as soon as it is there."""
    rest = b""
    while arrived := response.read1(BLOCK):
        *lines, rest = (rest + arrived).split(b"\n")
        for line in lines:
            yield line + b"\n"

"""Where the browser comes back to after a log-on: 127.0.0.1, a free port, for one answer (RFC 8252, 7.3)."""

import hmac
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from acmx.domain.errors import LogOnRefused

PATH = "/callback"
_DONE = b"<!doctype html><title>acmx</title><p>You may close this window and go back to acmx.\n"


class _Handler(BaseHTTPRequestHandler):
    timeout = 5.0
    server: "Loopback"

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        answer = {name: values[0] for name, values in parse_qs(place.query).items() if len(values) == 1}
        ours = place.path == PATH and hmac.compare_digest(
            answer.get("state", "").encode(), self.server.state.encode()
        )
        if ours:
            self.server.answer = answer
        self.send_response(200 if ours else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(_DONE) if ours else 0))
        self.end_headers()
        if ours:
            self.wfile.write(_DONE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Addresses hold codes: they are not written down."""


class Loopback(HTTPServer):
    """Takes the one answer that carries `state`; whatever else comes is not found."""

    def __init__(self, state: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = state
        self.answer: dict[str, str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{PATH}"

    def wait(self, seconds: float) -> dict[str, str]:
        """The parameters of the answer. Raises LogOnRefused where none comes."""
        ends = time.monotonic() + seconds
        while self.answer is None:
            self.timeout = ends - time.monotonic()
            if self.timeout <= 0:
                raise LogOnRefused("nobody has logged on in the browser")
            self.handle_request()
        return self.answer

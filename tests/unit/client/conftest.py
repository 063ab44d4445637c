import json
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from acmx.client import Client
from acmx.trust.certificates import self_signed


class Asked(NamedTuple):
    """A request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.asked.append(Asked(f"{self.command} {self.path}", dict(self.headers), body))
        self.server.script.pop(0)(self)

    do_POST = do_PUT = do_GET  # noqa: N815

    def reply(self, status: int, media_type: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def stream(self, chunks: tuple[bytes, ...]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Answers each request as the next entry of `script` says, and keeps what was `asked`."""

    daemon_threads = True

    def __init__(self, certificate: Path, key: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.certificate = certificate
        self.url = f"https://127.0.0.1:{self.server_address[1]}"
        self.script: list[Callable[[Handler], None]] = []
        self.asked: list[Asked] = []
        self.pauses: list[float] = []

    def handle_error(self, *_: object) -> None:
        pass

    def answers(self, document: object, status: int = 200) -> None:
        self.script.append(lambda h: h.reply(status, "application/json", msgspec.json.encode(document)))

    def refuses(self, status: int, slug: str, **members: object) -> None:
        problem = {"type": f"urn:acmx:problem:{slug}", "title": "No.", "status": status, **members}
        self.script.append(
            lambda h: h.reply(status, "application/problem+json", json.dumps(problem).encode())
        )

    def drops(self) -> None:
        self.script.append(lambda h: setattr(h, "close_connection", True))

    def streams(self, *chunks: bytes) -> None:
        """And is cut off after them."""
        self.script.append(lambda h: h.stream(chunks))


def _certificate(folder: Path) -> tuple[Path, Path]:
    pem, key = self_signed("localhost", ["127.0.0.1"], now=datetime.now(UTC), days=1)
    (folder / "server.pem").write_bytes(pem)
    (folder / "server.key").write_bytes(key)
    return folder / "server.pem", folder / "server.key"


@pytest.fixture(scope="session")
def _certificates(tmp_path_factory):
    return [_certificate(tmp_path_factory.mktemp("certificate")) for _ in range(2)]


@pytest.fixture
def server(_certificates) -> Iterator[Server]:
    server = Server(*_certificates[0])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def other_certificate(_certificates) -> Path:
    return _certificates[1][0]


@pytest.fixture
def client(server) -> Iterator[Client]:
    with Client(server.url, "a-token", server.certificate, pause=server.pauses.append) as client:
        yield client

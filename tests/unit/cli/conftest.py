import os
import pty
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from acmx.cli.session.profiles import Profile, save
from acmx.domain.acm1 import Exchange, Session, Step
from acmx.trust.certificates import self_signed

POLICE, FIRE = "mc.metro-police.example", "mc.county-fire.example"
AT = datetime(2026, 10, 3, 14, 2, 11, tzinfo=UTC)
ID = "01a206cb-f5c6-77ad-94c0-f9f1f6155a0d"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        line = f"{self.command} {self.path.removeprefix('/acm1/v1')}"
        self.server.asked.append((line, msgspec.json.decode(body) if body else None))
        if line == "GET /notifications":
            self._hint_and_hold()
            return
        status, document = self.server.replies[line]
        content = msgspec.json.encode(document)
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if status < 300 else "application/problem+json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _hint_and_hold(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b'event: look-again\ndata: {"mc_service_id":"sip:a@b.example"}\n\n')
        self.server.watched.set()
        self.server.leave.wait()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """An ACM server that gives each route its entry of `replies`: (HTTP status, document)."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        pem, key = self_signed("localhost", ["127.0.0.1"], now=datetime.now(UTC), days=1)
        self.certificate = folder / "server.pem"
        self.certificate.write_bytes(pem)
        (folder / "server.key").write_bytes(key)
        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, folder / "server.key")
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server_address[1]}"
        self.replies: dict[str, tuple[int, object]] = {}
        self.asked: list[tuple[str, object]] = []
        self.watched, self.leave = threading.Event(), threading.Event()

    def handle_error(self, *_: object) -> None:
        pass

    def refuses(self, line: str, status: int, slug: str, **members: object) -> None:
        self.replies[line] = (status, {"type": f"urn:acmx:problem:{slug}", "status": status, **members})


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    server = Server(tmp_path)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.leave.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A home directory without any log-on."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("ACMX_PROFILE", raising=False)
    monkeypatch.setenv("ACMX_PASSWORD", "correct horse")
    return tmp_path / "config" / "acmx"


@pytest.fixture
def _nobody_to_ask(monkeypatch) -> Iterator[None]:
    """Standard input is no terminal."""
    with Path(os.devnull).open(encoding="ascii") as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        yield


@pytest.fixture
def session() -> Session:
    return Session("a-token", "okoye", f"sip:okoye@{FIRE}", ["reviewer"], FIRE, AT)


@pytest.fixture
def logged_on(home, server, session) -> Server:
    """The server, and a profile for it."""
    save(Profile("okoye", server.url, session, server.certificate.read_text()))
    return server


@pytest.fixture
def exchange() -> Exchange:
    """A request of the police that waits for a person of the fire service."""
    return Exchange(
        id=ID,
        primary=POLICE,
        partner=POLICE,
        role="partner",
        state="pending",
        kind="server-identity",
        asker=f"sip:silva@{POLICE}",
        urgency="urgent",
        purpose="Flood at the river",
        user_count=3,
        created_at=AT,
        seen="1.4",
        users=tuple(f"sip:officer.{n}@{POLICE}" for n in range(3)),
        content={"services": ["mcptt"]},
        steps=[Step(4, "done", AT)],
        journal=[],
        waiting=[],
        disclosed={"server_identity": {"mc_system_id": FIRE, "gms": "https://gms.example", "kms": None}},
        missing=("kms",),
    )


class Terminal:
    """Runs acmx as a process of its own, with a terminal to type on."""

    def __init__(self, *arguments: str) -> None:
        self._keys, stdin = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "acmx", *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        os.close(stdin)

    def end(self, typed: str = "") -> tuple[int, str, str]:
        """Exit status, stdout and stderr."""
        os.write(self._keys, typed.encode())
        out, err = self.process.communicate(timeout=60)
        os.close(self._keys)
        return self.process.returncode, out, err


@pytest.fixture
def terminal() -> type[Terminal]:
    return Terminal

"""A browser that only fetches pages of the console."""

from bench.processes import Server
from bench.systems import TOKEN
from urllib3 import HTTPSConnectionPool

OK = 200


class Browser:
    """Signed in with every role, on one kept connection."""

    def __init__(self, server: Server) -> None:
        certificate = str(server.directory / "tls" / "acm1.pem")
        self._pool = HTTPSConnectionPool("127.0.0.1", server.ports[0], ca_certs=certificate, maxsize=1)

    def get(self, page: str) -> bytes:
        """The bytes of the page."""
        headers = {"Cookie": f"__Host-acmx={TOKEN}"}
        reply = self._pool.request("GET", f"/console{page}", headers=headers, redirect=False)
        if reply.status != OK:
            raise SystemExit(f"{page}: {reply.status}")
        return reply.data

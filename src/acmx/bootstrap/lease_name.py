"""The name under which a process leases its partners: no other process has ever had it."""

import secrets
import socket
from pathlib import Path

FILE = "lease-name"


def successor(directory: Path) -> tuple[str, str]:
    """A new name, and that of the process before, which does not run any more: one at a time serves a directory.

    Raises OSError.
    """
    path = directory / FILE
    before = path.read_text() if path.exists() else ""
    own = f"{socket.gethostname()}:{secrets.token_hex(8)}"
    path.write_text(own)
    return own, before

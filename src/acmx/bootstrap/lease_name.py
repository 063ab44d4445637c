"""The name under which a process leases its partners: no other process has ever had it."""

import secrets
import socket
from pathlib import Path

FILE = "lease-name"


def successor(directory: Path) -> tuple[str, str]:
    """A new name, and that of the process that served this directory before; "" where there was none.

    That one has ended: one at a time serves a directory. The file in a copy of the directory names a process that may
    run, and does not count. Raises OSError.
    """
    path = directory / FILE
    place = f"{socket.gethostname()}:{directory.resolve()}:"
    before = path.read_text() if path.exists() else ""
    own = place + secrets.token_hex(8)
    path.write_text(own)
    return own, before if before.startswith(place) else ""

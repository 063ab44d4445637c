"""The real HAProxy with the configuration of deploy/, on loopback."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CONFIGURATION = Path(__file__).parents[3] / "deploy" / "haproxy.cfg"

needs_haproxy = pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")


def configuration(
    folder: Path, tls: Path, *, fronts: tuple[int, int], backs: tuple[int, int], source: str = "127.0.0.1"
) -> Path:
    """As shipped, but for addresses and paths. Ports of ACM-1 and ACM-2, before and behind the proxy."""
    folder.mkdir()
    both = folder / "acm1.pem"
    both.write_bytes((tls / "acm1.pem").read_bytes() + (tls / "acm1.key").read_bytes())
    text = CONFIGURATION.read_text()
    for shipped, ours in {
        "192.0.2.10:8441": f"{source}:{fronts[0]}",
        "192.0.2.10:8442": f"{source}:{fronts[1]}",
        "server acmx 127.0.0.1:18441": f"server acmx 127.0.0.1:{backs[0]}",
        "server acmx 127.0.0.1:18442": f"server acmx 127.0.0.1:{backs[1]}",
        "/etc/haproxy/acm1.pem": str(both),
        "/etc/haproxy/acmx.pem": str(tls / "acm1.pem"),
        "    user haproxy\n    group haproxy\n": "",
    }.items():
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, ours)
    path = folder / "haproxy.cfg"
    path.write_text(text)
    return path


@contextmanager
def haproxy(path: Path) -> Iterator[None]:
    with (path.with_name("log")).open("wb") as log:
        process = subprocess.Popen(["haproxy", "-db", "-f", str(path)], stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)

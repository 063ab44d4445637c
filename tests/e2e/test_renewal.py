"""A server process renews its certificate and its key without a restart: by SIGHUP, and by itself."""

import hashlib
import json
import signal
import ssl
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from acmx.trust.certificates import fingerprint_of_pem, self_signed
from support.systems.processes import prepared, serving
from support.systems.systems import System

pytestmark = pytest.mark.slow


def shown(system: System) -> str:
    host, _, port = system.config.acm1.listen.rpartition(":")
    pem = ssl.get_server_certificate((host, int(port)), timeout=5)
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


@pytest.mark.law(12)
def test_sighup_and_time_renew_what_is_good_and_nothing_else(tmp_path: Path) -> None:
    system = prepared(tmp_path)
    folder = system.directory / "tls"
    first = fingerprint_of_pem((folder / "acm1.pem").read_text())
    certificate, key = self_signed("police", ["127.0.0.1"], now=datetime.now(UTC), days=30)
    with serving(system.directory) as server:
        assert shown(system) == first
        (folder / "acm1.pem").write_bytes(certificate)
        server.popen.send_signal(signal.SIGHUP)
        server.says("do not fit")
        assert shown(system) == first
        (folder / "acm1.key").write_bytes(key)
        server.popen.send_signal(signal.SIGHUP)
        renewed = fingerprint_of_pem(certificate.decode())
        server.says("certificate renewed", "acm1", renewed)
        assert shown(system) == renewed
        said = subprocess.run(
            [sys.executable, "-m", "acmx", "keys", "rotate", str(system.directory), "--json"],
            check=True,
            capture_output=True,
        ).stdout
        new = json.loads(said)["items"][0]["kid"]
        server.says("metadata published", new)

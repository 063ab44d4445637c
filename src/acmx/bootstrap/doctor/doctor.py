"""`acmx doctor`: a server's directory examined, whether a server runs in it or not; nothing in it is changed."""

import asyncio
import os
import platform
import shutil
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile

import acmx
from acmx import config as configuration
from acmx.bootstrap import targets, telling
from acmx.bootstrap.create import KEYS, TLS
from acmx.bootstrap.database import DATABASE
from acmx.bootstrap.doctor import examine_database, examine_shipped
from acmx.bootstrap.lock import is_held
from acmx.bootstrap.new_directory import CONFIG
from acmx.config import Config, endpoint
from acmx.domain.acm1 import Finding, Findings
from acmx.domain.errors import AcmxError
from acmx.domain.findings import days_left, failed, ok, warning
from acmx.trust import certificates, key_files, tls

LIBRARIES = ("aiohttp", "cryptography", "joserfc", "msgspec", "starlette", "uvicorn", "cedarpy")
MIB = 1024 * 1024
LITTLE_SPACE, NO_SPACE = 1024 * MIB, 64 * MIB
SLOW_FSYNC = 0.1


def examine(directory: Path) -> Findings:
    """Never raises an AcmxError: each is a finding."""
    now = datetime.now(UTC)
    found = list(_versions())
    config = _tried("configuration", partial(_configuration, directory), found)
    _tried("signing key", partial(_signing_key, directory), found)
    for face in ("acm1", "acm2"):
        _tried(f"{face} certificate", partial(_certificate, directory, face, now), found)
    secrets = telling.secret_files(directory, config) if isinstance(config, Config) else []
    found += _modes(directory, secrets)
    if isinstance(config, Config):
        found += examine_database.examine(directory, config, now)
    found += _disk(directory)
    if isinstance(config, Config):
        runs = is_held(directory)
        found.append(ok("server", "runs" if runs else "does not run"))
        found += [_address("ACM-1", config.acm1.listen, runs), _address("ACM-2", config.acm2.listen, runs)]
        _tried("checkpoints", partial(examine_shipped.examine, directory, config), found)
        found += asyncio.run(targets.reach(directory, config))
    return Findings(found)


def _tried(name: str, look: Callable[[], tuple[object, list[Finding]]], found: list[Finding]) -> object:
    """What `look` gave, its findings kept; where it failed, that is the finding."""
    try:
        result, findings = look()
    except (AcmxError, OSError) as error:
        found.append(failed(name, str(error)))
        return None
    found += findings
    return result


def _versions() -> Iterator[Finding]:
    yield ok("acmx", f"{acmx.__version__} on Python {platform.python_version()}")
    yield ok("libraries", ", ".join(f"{name} {version(name)}" for name in LIBRARIES))


def _configuration(directory: Path) -> tuple[Config, list[Finding]]:
    config = configuration.read(directory / CONFIG)
    return config, [ok("configuration", f"{config.system}, {config.name}")]


def _signing_key(directory: Path) -> tuple[None, list[Finding]]:
    newest, *replaced = key_files.load(directory / KEYS)
    more = f"; {len(replaced)} replaced" if replaced else ""
    return None, [ok("signing key", f"{newest.key.kid}{more}")]


def _certificate(directory: Path, face: str, now: datetime) -> tuple[None, list[Finding]]:
    """Raises Misconfigured where the key does not fit."""
    pair = directory / TLS / f"{face}.pem", directory / TLS / f"{face}.key"
    tls.server_context(*pair, pinned=None)
    return None, [days_left(f"{face} certificate", certificates.not_after(pair[0].read_text()), now)]


def _modes(directory: Path, told_with: list[Path]) -> list[Finding]:
    secrets = {
        *(directory / KEYS).glob("*"),
        *(directory / TLS).glob("*.key"),
        directory / CONFIG,
        directory / DATABASE,
        *told_with,
    }
    open_ = [
        str(path.relative_to(directory) if path.is_relative_to(directory) else path)
        for path in sorted(secrets)
        if _others_may_read(path)
    ]
    if open_:
        return [failed("modes", f"others may read {', '.join(open_)}: chmod 600")]
    return [ok("modes", "configuration, keys, secrets and database are their owner's alone")]


def _others_may_read(path: Path) -> bool:
    with suppress(OSError):
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    return False


def _disk(directory: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(directory).free
    words = f"{free / MIB:,.0f} MiB free"
    grade = failed if free < NO_SPACE else warning if free < LITTLE_SPACE else ok
    yield grade("disk", words)
    try:
        seconds = _fsync_seconds(directory)
    except OSError as error:
        yield failed("fsync", str(error))
        return
    yield (ok if seconds < SLOW_FSYNC else warning)("fsync", f"{seconds * 1000:.1f} ms")


def _fsync_seconds(directory: Path) -> float:
    """The slowest of five, each after 4 KiB."""
    slowest = 0.0
    with TemporaryFile(dir=directory) as file:
        for _ in range(5):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            slowest = max(slowest, time.perf_counter() - began)
    return slowest


def _address(name: str, listen: str, runs: bool) -> Finding:
    host, port = endpoint(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if runs:
                return ok(name, f"{listen} is taken, as the server runs")
            return failed(name, f"{listen} cannot be had: {error.strerror}")
    if runs and port:
        return failed(name, f"the server runs but does not listen on {listen}")
    return ok(name, f"{listen} is free")

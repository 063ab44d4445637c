"""An OpenID provider that nobody here wrote (npm's oidc-provider), started for the tests; a person with a browser; and
somebody who signs tokens by hand, with the provider's own keys or others."""

import asyncio
import fcntl
import json
import re
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from acmx.cli.demo.ports import reserve_port
from acmx.config import Oidc
from acmx.trust.certificates import self_signed
from support.systems.systems import POLICE

FOLDER = Path(__file__).parents[2] / "oidc"
AUDIENCE = f"https://acm.{POLICE}"
ROLES = {"acm-ask": "requester", "acm-decide": "reviewer", "acm-run": "operator"}
ALICE = {"mcptt_id": f"sip:alice@{POLICE}", "roles": ["acm-ask", "something-else"]}
PEOPLE = {
    "alice": ALICE,
    "bob": {
        "mcvideo_id": f"sip:bob@{POLICE}",
        "mcdata_id": f"sip:data-bob@{POLICE}",
        "roles": ["acm-decide"],
    },
    "mallory": {"mcptt_id": "sip:mallory@elsewhere.example", "roles": ["acm-ask"]},
    "dispatch-agent": {"mcptt_id": f"sip:agent@{POLICE}", "roles": ["acm-decide"]},
}


def keys() -> dict[str, Key]:
    """One of each kind, by the algorithm they sign with."""
    made = {
        "RS256": RSAKey.generate_key(2048),
        "ES256": ECKey.generate_key("P-256"),
        "EdDSA": OKPKey.generate_key("Ed25519"),
    }
    for key in made.values():
        key.ensure_kid()
    return made


def installed() -> None:
    """Skips the test where there is no Node.js, and only there."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: the OpenID provider cannot be started")
    with (FOLDER / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (FOLDER / "node_modules" / ".package-lock.json").exists():
            subprocess.run(["npm", "ci"], cwd=FOLDER, check=True, capture_output=True)


class Provider:
    """A provider on loopback, by TLS. It keeps its address when it is started again with other keys.

    `consoles`: where the browser may be sent back to, as the client `console`.
    """

    def __init__(self, *, alg: str = "ES256", seconds: int = 300, consoles: tuple[str, ...] = ()) -> None:
        installed()
        self.port = reserve_port()
        self.issuer = f"https://127.0.0.1:{self.port}"
        pem, key = self_signed("localhost", ["127.0.0.1"], now=datetime.now(UTC), days=1)
        self.certificate, self._key = pem.decode(), key.decode()
        self.alg, self.seconds, self.consoles = alg, seconds, consoles
        self.keys = keys()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["node", "provider.js"],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        given = {
            "issuer": self.issuer,
            "port": self.port,
            "key": self._key,
            "certificate": self.certificate,
            "jwks": {"keys": [key.as_dict(private=True, use="sig") for key in self.keys.values()]},
            "alg": self.alg,
            "seconds": self.seconds,
            "consoles": self.consoles,
            "people": PEOPLE,
        }
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        assert "ready" in self._process.stdout.readline()

    def stop(self) -> None:
        if self._process is not None:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.close()
            self._process.wait(10)
            self._process.stdout.close()
            self._process = None

    def rotate(self) -> None:
        """It has other keys from now on."""
        self.stop()
        self.keys = keys()
        self.start()

    def settings(self, folder: Path, **changes: Any) -> Oidc:
        """The section of a configuration that names this provider."""
        (folder / "provider.pem").write_text(self.certificate)
        usual = {
            "issuer": self.issuer,
            "audience": AUDIENCE,
            "scope": "acm",
            "client_id": "acmx",
            "resource": AUDIENCE,
            "roles": ROLES,
            "ca_file": "provider.pem",
        }
        return msgspec.convert(usual | changes, Oidc)

    def agent_token(self, **changes: str) -> str:
        """An access token that no person stands behind."""
        form = {"grant_type": "client_credentials", "scope": "acm", "resource": AUDIENCE} | changes
        request = urllib.request.Request(f"{self.issuer}/token", urlencode(form).encode())
        request.add_header("Authorization", "Basic ZGlzcGF0Y2gtYWdlbnQ6bm90JTIwYSUyMHNlY3JldA==")
        with urllib.request.urlopen(request, context=self._context()) as reply:
            return str(json.load(reply)["access_token"])

    def browse(self, address: str, person: str) -> str:
        """A person logs on and agrees, in a browser; the page that is shown at the end."""
        opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=self._context()),
            urllib.request.HTTPCookieProcessor(CookieJar()),
        )
        page = opener.open(address).read().decode()
        while form := re.search(r'<form[^>]* action="([^"]+)"', page):
            prompt = re.search(r'name="prompt" value="(\w+)"', page)
            assert prompt, page
            fields = {"prompt": prompt[1], "login": person, "password": "any"}
            page = opener.open(form[1], urlencode(fields).encode()).read().decode()
        return page

    def sign(self, alg: str = "ES256", key: Key | None = None, header: Any = None, **changes: Any) -> str:
        """A token as this provider would sign it for Alice, but for the changes; a claim of None is left out."""
        signing = key or self.keys[alg]
        return signed(alg, signing, header or {}, **({"iss": self.issuer} | changes))

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.certificate)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(datetime.now(UTC).timestamp())
    usual = {
        "sub": "alice",
        "aud": AUDIENCE,
        "client_id": "acmx",
        "scope": "openid acm",
        "iat": now,
        "exp": now + 300,
        **ALICE,
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def signed(alg: str, key: Key, header: dict[str, Any], **changes: Any) -> str:
    protected = {"alg": alg, "typ": "at+jwt", "kid": key.kid} | header
    known = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    return jws.serialize_compact(protected, json.dumps(claims(**changes)), key, registry=known)


@contextmanager
def running(**how: Any) -> Iterator[Provider]:
    provider = Provider(**how)
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


async def logged_on(process: asyncio.subprocess.Process, provider: Provider, person: str) -> tuple[int, str]:
    """Open the address that `acmx login` prints and log on there; its exit status and what it said on stderr."""
    assert process.stderr
    said = b""
    while b"https://" not in said.rpartition(b"browser")[2] or not said.endswith(b"\n"):
        line = await process.stderr.readline()
        assert line, said.decode()
        said += line
    address = re.findall(r"^https://\S+", said.decode(), re.MULTILINE)[-1]
    await asyncio.to_thread(provider.browse, address, person)
    _, rest = await process.communicate()
    return process.returncode or 0, (said + rest).decode()

"""Both faces of a real server, called by schemathesis after their OpenAPI documents: no answer may be a 5xx."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import schemathesis
from bench.processes import Server
from bench.systems import FIRE, POLICE, TOKEN, onboard
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig

from acmx import config
from acmx.bootstrap.own import own
from acmx.faces.acm1.app import BASE
from acmx.faces.acm1.openapi import document as acm1
from acmx.faces.acm1.routes import ROUTES
from acmx.faces.acm2.openapi import document as acm2
from acmx.trust.own import Own

STEP = 20
Call = Callable[[Case], requests.Response]


class Broken(Exception):
    """An answer that no input may bring about."""


def fuzz(face: str, *, seconds: int, runs: int, seed: int) -> int:
    """Every operation `runs` times, or again and again for so long. 1 where something broke."""
    with tempfile.TemporaryDirectory() as folder:
        onboard(Path(folder), approves=5)
        server = Server(Path(folder) / "fire")
        server.start()
        try:
            server.listening()
            call, document = _acm1(server) if face == "acm1-http" else _acm2(server, Path(folder) / "police")
            return _until(document, call, seconds=seconds, runs=runs, first=seed)
        finally:
            server.kill()


def _until(document: dict[str, Any], call: Call, *, seconds: int, runs: int, first: int) -> int:
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig())
    operations = [operation.ok() for operation in schema.get_all_operations()]
    ends, now, made = time.monotonic() + seconds, first, 0
    while made == 0 or (not runs and time.monotonic() < ends):
        for operation in operations:
            try:
                made += _asked(operation, call, runs or STEP, now)
            except Broken as broken:
                print(f"seed {now}: {broken}")
                return 1
        now += 1
    print(f"{made} calls of {len(operations)} operations, seeds {first} to {now - 1}: nothing broke")
    return 0


def _asked(operation: Any, call: Call, examples: int, now: int) -> int:
    made = 0

    @seed(now)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def each(case: Case) -> None:
        nonlocal made
        made += 1
        answer = call(case)
        if answer.status_code >= 500:
            raise Broken(f"{case.method} {case.path}: {answer.status_code} to {case.as_curl_command()}")

    each()
    return made


def _acm1(server: Server) -> tuple[Call, dict[str, Any]]:
    base, verify = f"https://127.0.0.1:{server.ports[0]}", str(server.directory / "tls" / "acm1.pem")
    session = requests.Session()

    def call(case: Case) -> requests.Response:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer: requests.Response = case.call(
            base_url=base, session=session, headers=headers, verify=verify, timeout=30
        )
        return answer

    return call, acm1(ROUTES, BASE)


def _acm2(server: Server, police: Path) -> tuple[Call, dict[str, Any]]:
    """As the police; each body is signed for the place it is sent to, so that it comes past the signature."""
    speaker = own(police, config.read(police / "config.toml"))
    base, verify = f"https://127.0.0.1:{server.ports[1]}", str(server.directory / "tls" / "acm2.pem")
    pair = str(police / "tls" / "acm2.pem"), str(police / "tls" / "acm2.key")
    session = requests.Session()

    def call(case: Case) -> requests.Response:
        at = dict(case.path_parameters or {})
        if "primary" in at:
            at["primary"] = POLICE
            case.path_parameters = at
        if isinstance(case.body, dict):
            case.body = case.body | {"from": POLICE, "to": FIRE, "version": "1.0"} | _place(at)
        body = json.dumps(case.body).encode() if case.body is not schemathesis.core.NOT_SET else b""
        headers = {"ACM-Signature": _sealed(speaker, body, at), "Content-Type": "application/json"}
        kwargs = case.as_transport_kwargs(base_url=base, headers=headers)
        return session.request(
            kwargs["method"],
            kwargs["url"],
            params=kwargs.get("params"),
            data=body,
            headers=headers,
            cert=pair,
            verify=verify,
            timeout=30,
        )

    return call, acm2()


def _place(at: dict[str, Any]) -> dict[str, Any]:
    return {"exchange": at["id"], "n": at["n"]} if "id" in at else {}


def _sealed(speaker: Own, body: bytes, at: dict[str, Any]) -> str:
    now = int(time.time())
    if "id" not in at:
        return speaker.sign(body, to=FIRE, typ="acm-partnership", now=now)
    exchange = f"{POLICE}/{at['id']}"
    try:
        n = int(at["n"])
    except ValueError:
        n = 1
    return speaker.sign(body, to=FIRE, typ="acm-message", now=now, exchange=exchange, n=n)

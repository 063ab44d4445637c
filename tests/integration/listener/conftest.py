"""A scenario is given seconds; parties have certificates of their own."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from acmx.trust import certificates
from support.partner.parties import Party


@pytest.fixture
def run() -> Callable:
    def run(scenario):
        return asyncio.run(asyncio.wait_for(scenario, 20))

    return run


@pytest.fixture
def party(tmp_path) -> Callable[..., Party]:
    def make(file: str, name: str = "fire.example", at: datetime | None = None) -> Party:
        pem, key = certificates.self_signed(name, ["127.0.0.1"], now=at or datetime.now(UTC), days=2)
        made = Party(tmp_path / f"{file}.pem", tmp_path / f"{file}.key")
        made.certificate.write_bytes(pem)
        made.key.write_bytes(key)
        return made

    return make

"""Whoever reads the log finds all that it says of an exchange by its id."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from acmx.bootstrap.log import log_to_stderr
from acmx.flows.queries import show
from support.systems.systems import eventually, two_systems


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    kept = io.StringIO()
    monkeypatch.setattr("sys.stderr", kept)
    log_to_stderr("json")
    yield kept
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stderr: io.StringIO, event: str) -> list[Any]:
    return [
        line for line in map(json.loads, stderr.getvalue().splitlines()) if line["event"].startswith(event)
    ]


def test_a_fault_of_ours_in_a_request_names_the_exchange(
    tmp_path: Path, stderr: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    async def scenario() -> str:
        async with two_systems(tmp_path) as (police, _):
            _, accepted = await police.submit()
            monkeypatch.setattr(show, "show", broken)
            assert (await police.call("GET", f"/requests/{accepted['id']}"))[0] == 500
            return str(accepted["id"])

    id_ = asyncio.run(scenario())
    (line,) = lines(stderr, "Exception in ASGI application")
    assert line["exchange"] == id_
    assert "ZeroDivisionError" in line["exception"]


def test_a_message_that_finds_the_link_down_names_its_exchange(tmp_path: Path, stderr: io.StringIO) -> None:
    async def scenario() -> str:
        async with two_systems(tmp_path) as (police, fire):
            _, accepted = await police.submit("one")
            await police.reaches(accepted["id"], "stored")
            await fire.stop()
            _, accepted = await police.submit("two")

            async def said() -> Any:
                return lines(stderr, "the link is down")

            await eventually(said, lambda found: any("exchange" in line for line in found))
            return str(accepted["id"])

    id_ = asyncio.run(scenario())
    assert {line["exchange"] for line in lines(stderr, "the link is down") if "exchange" in line} == {id_}

"""Traces as a collector gets them: which parts a request went through, and nothing of what it said."""

import asyncio
import builtins
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from acmx.bootstrap.server import Server
from acmx.config import Traces
from acmx.domain.errors import Misconfigured
from acmx.telemetry import traces
from support.sinks.otlp import Collector, collector
from support.systems.systems import FIRE, POLICE, System, submission, two_systems

PURPOSE = "flood in the harbour district, second wave"


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "FLUSH_SECONDS", 60)


async def traced(collector: Collector, police: System, fire: System) -> str:
    """One exchange, from request to retrieval, and two refusals; its id. What is left is sent at the end."""
    for system in (police, fire):
        system.config = msgspec.structs.replace(system.config, traces=Traces(collector.url))
        await system.start()
    headers = {"Idempotency-Key": "key", "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}
    status, accepted = await police.call("POST", "/requests", submission(purpose=PURPOSE), **headers)
    assert status == 201
    await police.reaches(accepted["id"], "stored")
    await fire.review(accepted["id"], reason="as the duty officer said")
    await police.reaches(accepted["id"], "answered")
    assert (await police.call("GET", "/audit", account="requester"))[0] == 403
    assert (await police.call("POST", "/accounts/eve/unlocking"))[0] == 404
    await police.stop()
    await fire.stop()
    return str(accepted["id"])


def attributes(span: Span) -> dict[str, Any]:
    return {
        pair.key: pair.value.int_value if pair.value.HasField("int_value") else pair.value.string_value
        for pair in span.attributes
    }


@pytest.mark.usefixtures("_patient")
def test_a_request_is_seen_from_call_to_commit_and_delivery(tmp_path: Path) -> None:
    async def scenario() -> tuple[Collector, str]:
        async with two_systems(tmp_path, start=False) as (police, fire), collector() as there:
            return there, await traced(there, police, fire)

    there, id_ = asyncio.run(scenario())
    by_name: dict[str, list[Span]] = {}
    for span in there.spans:
        by_name.setdefault(span.name, []).append(span)
    (asked,) = by_name["POST /acm1/v1/requests"]
    assert attributes(asked)["http.response.status_code"] == 201
    children = [span for span in there.spans if span.parent_span_id == asked.span_id]
    assert {span.name for span in children} == {"commit"}
    sent = by_name["deliver request"][-1]
    expected = {"acmx.partner": FIRE, "acmx.exchange": f"{POLICE}/{id_}", "acmx.message": 1}
    assert attributes(sent) == expected
    (taken, *_) = by_name["PUT /acm2/v1/exchanges/{primary}/{id}/messages/{n}"]
    assert attributes(taken)["acmx.exchange"] == id_
    assert any(span.name == "commit" and span.parent_span_id == taken.span_id for span in there.spans)
    assert "deliver response" in by_name
    assert "POST /acm1/v1/accounts/{name}/unlocking" in by_name
    assert {attributes(span)["http.response.status_code"] for span in by_name["GET /acm1/v1/audit"]} == {403}


@pytest.mark.usefixtures("_patient")
def test_no_content_leaves_and_no_strange_trace_is_joined(tmp_path: Path) -> None:
    async def scenario() -> Collector:
        async with two_systems(tmp_path, start=False) as (police, fire), collector() as there:
            await traced(there, police, fire)
            return there

    there = asyncio.run(scenario())
    sent = b"".join(there.bodies)
    assert FIRE.encode() in sent
    for content in (PURPOSE, "sip:", "duty officer", "eve", "admin", "requester", "Bearer", "127.0.0.1"):
        assert content.encode() not in sent, content
    assert all(span.trace_id != b"\xaa" * 16 for span in there.spans)
    assert all(not span.events and not span.status.message for span in there.spans)


async def test_a_collector_that_is_away_holds_up_nothing(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        police.config = msgspec.structs.replace(police.config, traces=Traces("http://127.0.0.1:1/v1/traces"))
        await police.start()
        assert (await police.submit())[0] == 201
        await asyncio.wait_for(police.stop(), 30)


async def test_without_the_extra_the_start_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith(("opentelemetry", "acmx.telemetry.traces")):
            raise ModuleNotFoundError(name=name)
        return real(name, *args, **kwargs)

    async with two_systems(tmp_path, start=False) as (police, _):
        config = msgspec.structs.replace(police.config, traces=Traces("http://127.0.0.1:1/v1/traces"))
        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(Misconfigured, match=r"install acmx\[traces\]"):
            Server(police.directory, config, None, police.clock)  # type: ignore[arg-type]
        monkeypatch.undo()


def test_a_server_without_traces_does_not_even_load_them() -> None:
    seen = "import sys, acmx.bootstrap.serve; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", seen], check=False).returncode == 0

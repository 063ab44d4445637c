"""No text of strangers becomes a line of the log, or steers the terminal of who watches it."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from acmx.bootstrap.log import log_to_stderr

EVIL = "\x1b[2J\x9b2J\u202eup\r\n2026-11-23 [info] approved by=admin"


class Watched(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def said(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, form: Any = "auto") -> str:
    monkeypatch.setattr("sys.stderr", stderr)
    log_to_stderr(form)
    log = structlog.get_logger()
    log.warning("the link is down", error=EVIL, partner=EVIL)
    log.warning(EVIL)
    logging.getLogger("uvicorn.error").warning("%s", EVIL)
    try:
        raise ValueError(EVIL)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
        log.exception("a message could not be sent")
    return stderr.getvalue()


@pytest.mark.usefixtures("_as_before")
@pytest.mark.filterwarnings("ignore:Remove `format_exc_info`")
def test_a_log_that_is_watched_shows_no_control_character(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = said(monkeypatch, Watched())
    colours = {"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[22m"} | {f"\x1b[{n}m" for n in range(30, 50)}
    for colour in colours:
        shown = shown.replace(colour, "")
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert not [line for line in shown.splitlines() if line.startswith("2026-11-23 [info]")]
    assert "approved" in shown


@pytest.mark.usefixtures("_as_before")
def test_a_log_that_is_kept_is_one_json_document_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [json.loads(line) for line in said(monkeypatch, io.StringIO()).splitlines()]
    assert len(lines) == 5
    assert all(line["level"] in {"warning", "error"} and line["timestamp"] for line in lines)
    assert sum("exception" in line for line in lines) == 2
    assert all("\x1b" not in str(line) for line in lines)


@pytest.mark.usefixtures("_as_before")
@pytest.mark.filterwarnings("ignore:Remove `format_exc_info`")
def test_the_configuration_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(json.loads(line) for line in said(monkeypatch, Watched(), "json").splitlines())
    assert not said(monkeypatch, io.StringIO(), "console").startswith("{")


@pytest.mark.usefixtures("_as_before")
def test_what_is_being_worked_on_is_in_every_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with structlog.contextvars.bound_contextvars(exchange="0193"):
        lines = [json.loads(line) for line in said(monkeypatch, io.StringIO()).splitlines()]
    assert {line["exchange"] for line in lines} == {"0193"}

"""The server's log: lines on stderr, and no text of strangers that could be taken for one or steer a terminal."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor

from acmx.domain.plain import plain


def log_to_stderr(form: Literal["auto", "json", "console"] = "auto") -> None:
    """What the server and its libraries say; `auto`: JSON lines unless somebody is watching."""
    watched = sys.stderr.isatty() if form == "auto" else form == "console"
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _readable,
    ]
    renderer = structlog.dev.ConsoleRenderer() if watched else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, renderer], logger_factory=structlog.WriteLoggerFactory(sys.stderr)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _readable(_logger: object, _method: str, event: EventDict) -> EventDict:
    """A traceback keeps its lines, indented: only what the server itself says begins one."""
    return {name: _harmless(name, value) for name, value in event.items()}


def _harmless(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    return plain(value).replace("\n", "\n  ") if name == "exception" else plain(value, lines=False)

"""Each command calls the routes that the table says, and shows no control character of what comes back."""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from acmx.cli.main import app, run
from acmx.domain.acm1 import Session
from acmx.domain.partnership import Metadata, PartnerFile
from acmx.faces.acm1.routes import ROUTES
from acmx.provisioning.xml import write
from support.systems.permits import ACM1, AT_THE_MACHINE, COMMANDS, OFFLINE, OPEN, STREAMS, UNTIL_INTERRUPTED
from support.systems.provisioning import document

EVIL = "\x1b[2J\x9b2J[red]\u202e\r\x07:up[/red]"
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
GIVES = {f"{row.method} {row.path}": (row.status, row.gives) for row in ROUTES}
SCALARS: dict[type, Any] = {
    inspect.BoolType: True,
    inspect.IntType: 1,
    inspect.FloatType: 1.0,
    inspect.DateTimeType: AT,
}
PAGED = {"next"}
GIVES["POST /sessions"] = (201, Session)


def commands(part: Any = app, path: tuple[str, ...] = ()) -> list[str]:
    found = [" ".join(path)] if path and part.default_command else []
    for name, command in part.resolved_commands().items():
        if not name.startswith("-"):
            found += commands(command, (*path, name))
    return found


def test_every_command_has_a_row() -> None:
    assert set(commands()) == {*COMMANDS, *AT_THE_MACHINE, *OFFLINE, *UNTIL_INTERRUPTED}


def test_every_row_names_routes_whose_callers_are_in_the_table() -> None:
    called = {route for _, routes in COMMANDS.values() for route in routes}
    called |= {route for routes in UNTIL_INTERRUPTED.values() for route in routes}
    assert called <= {*ACM1, *OPEN, *STREAMS}


class Evil(dict[str, Any]):
    """The reply of every route, every text in it written by a stranger."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def __getitem__(self, line: str) -> tuple[int, Any]:
        route = route_of(line.partition("?")[0])
        self.asked.append(route)
        status, gives = GIVES[route]
        document = written(inspect.type_info(gives))
        if gives is PartnerFile:
            document["metadata"] = msgspec.json.encode(written(inspect.type_info(Metadata))).decode()
        return status, document


def route_of(line: str) -> str:
    exact = [route for route in GIVES if route == line]
    fitting = [route for route in GIVES if re.fullmatch(re.sub(r"{\w+}", "[^/]+", route), line)]
    return (exact or fitting)[0]


def written(kind: inspect.Type) -> Any:
    """A value of this type; no page has a next one."""
    if type(kind) in SCALARS:
        return SCALARS[type(kind)]
    match kind:
        case inspect.Metadata():
            return written(kind.type)
        case inspect.LiteralType():
            return kind.values[0]
        case inspect.EnumType():
            return next(iter(kind.cls)).value
        case inspect.ListType() | inspect.VarTupleType():
            return [written(kind.item_type)]
        case inspect.DictType():
            return {EVIL: written(kind.value_type)}
        case inspect.UnionType():
            return written(next(t for t in kind.types if not isinstance(t, inspect.NoneType)))
        case inspect.StructType():
            members = {f.encode_name: written(f.type) for f in kind.fields if f.encode_name not in PAGED}
            return members | ({kind.tag_field: kind.tag} if kind.tag_field else {})
        case _:
            return EVIL


@pytest.fixture
def files(tmp_path: Any, server: Any) -> dict[str, str]:
    contents = {
        "xml": write(document()),
        "toml": b'mc_system_id = "mc.county-fire.example"\n',
        "cedar": b"permit (principal, action, resource);",
        "partner": msgspec.json.encode({"metadata": "{}", "signature": "x"}),
    }
    paths = {name: tmp_path / f"file.{name}" for name in contents}
    for name, content in contents.items():
        paths[name].write_bytes(content)
    usual = {"url": server.url, "certificate": str(server.certificate), "new": str(tmp_path / "new")}
    return usual | {name: str(path) for name, path in paths.items()}


@pytest.mark.law(10)
@pytest.mark.parametrize("how", [(), ("--json",)], ids=["for people", "as JSON"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_calls_its_routes_and_shows_nothing_that_steers_a_terminal(
    name: str, how: tuple[str, ...], logged_on: Any, files: dict[str, str], capfdbinary: Any
) -> None:
    arguments, routes = COMMANDS[name]
    logged_on.replies = Evil()
    run([*name.split(), *(argument.format(**files) for argument in arguments), *how])
    assert logged_on.replies.asked == list(routes)
    said = capfdbinary.readouterr()
    for shown in (said.out.decode(), said.err.decode()):
        assert all(c.isprintable() or c == "\n" for c in shown), shown

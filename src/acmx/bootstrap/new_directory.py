"""How the directory of an ACM server comes into being: whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acmx.domain.errors import AlreadyThere
from acmx.trust.keys import sync

CONFIG = "config.toml"
"""Without it a directory is not taken for that of a server."""


@contextmanager
def new_directory(directory: Path) -> Iterator[Path]:
    """An empty directory (mode 0700) whose content takes its place only when the block has ended well.

    A directory that is there and empty is filled and stays the same one: it may be a mount point, and whoever made it
    may have no right to make another beside it. The configuration comes into it last.
    Raises AlreadyThere where that is a file or a directory that is not empty, OSError.
    """
    directory = directory.resolve()
    there = directory.exists()
    if there:
        _require_empty(directory)
    draft = Path(tempfile.mkdtemp(dir=directory if there else directory.parent, prefix=f".{directory.name}."))
    try:
        yield draft
        for folder in (draft, *filter(Path.is_dir, draft.iterdir())):
            sync(folder)
        if there:
            _fill(directory, draft)
        else:
            draft.rename(directory)
    except BaseException:
        shutil.rmtree(draft)
        raise
    sync(directory if there else directory.parent)


def _require_empty(directory: Path, *, but: tuple[Path, ...] = ()) -> None:
    if not directory.is_dir() or any(entry not in but for entry in directory.iterdir()):
        raise AlreadyThere(f"{directory} is not an empty directory.")


def _fill(directory: Path, draft: Path) -> None:
    _require_empty(directory, but=(draft,))
    directory.chmod(0o700)
    for entry in sorted(draft.iterdir(), key=lambda entry: entry.name == CONFIG):
        sync(directory)
        entry.rename(directory / entry.name)
    draft.rmdir()

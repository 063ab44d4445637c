"""Writing the files that a user asked for."""

from pathlib import Path

from acmx.domain.errors import AcmxError


def write(path: Path, content: bytes) -> None:
    """Write a whole file, or leave the one that is there. Raises AcmxError."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise AcmxError(f"{path} cannot be written: {error.strerror}") from None

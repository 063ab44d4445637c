"""Server-sent events, as far as ACM-1 uses them: the bare hint that there is something to look at."""

from collections.abc import Iterable, Iterator

import msgspec

LOOK_AGAIN = "look-again"


class Hint(msgspec.Struct, frozen=True):
    """For this MC service ID something is pending, or may be: look at the list."""

    mc_service_id: str


def hints(lines: Iterable[bytes]) -> Iterator[Hint]:
    """The hints in a stream of lines; heartbeats, other events and events cut short are passed over."""
    event, data = "", b""
    for line in lines:
        name, _, value = line.rstrip(b"\r\n").partition(b":")
        value = value.removeprefix(b" ")
        if not line.strip():
            if event == LOOK_AGAIN and (hint := _hint(data)):
                yield hint
            event, data = "", b""
        elif name == b"event":
            event = value.decode(errors="replace")
        elif name == b"data":
            data += value


def _hint(data: bytes) -> Hint | None:
    try:
        return msgspec.json.decode(data, type=Hint)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None

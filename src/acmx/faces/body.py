"""Reading a request body, never more than 8 MiB of it."""

from starlette.requests import Request

from acmx.domain.errors import TooLarge

LIMIT = 8 * 1024 * 1024


async def read_body(request: Request) -> bytes:
    """Raises TooLarge, before anything is read where the length is declared."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > LIMIT:
        raise TooLarge
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > LIMIT:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)

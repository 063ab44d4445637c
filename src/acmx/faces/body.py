"""Reading a request body, never more than 8 MiB of it."""

from starlette.requests import ClientDisconnect, Request

from acmx.domain.errors import FaultyInput, TooLarge

LIMIT = 8 * 1024 * 1024


async def read_body(request: Request, limit: int = LIMIT) -> bytes:
    """Raises TooLarge, before anything is read where the length is declared; FaultyInput where the client left."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > limit:
        raise TooLarge
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise TooLarge
            parts.append(part)
    except ClientDisconnect:
        raise FaultyInput([], "the body did not arrive whole") from None
    return b"".join(parts)

"""The console without a browser: one request, and what came back."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from aiohttp import FormData

from support.systems.browsers import console
from support.systems.systems import System

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Any
    text: str


async def opened(
    system: System,
    method: str,
    path: str,
    form: dict[str, Any] | None = None,
    *,
    token: str = "",
    headers: dict[str, str] = SAME_ORIGIN,
    file: tuple[str, bytes] | None = None,
) -> Reply:
    """What a page answers the holder of this session; in the tests a role is a token of its own.

    With a `file` (name, content) in its field "file" the form is sent in parts.
    """
    cookie = {"Cookie": f"__Host-acmx={token}"} if token else {}
    body: Any = BytesIO(urlencode(form or {}, doseq=True).encode()) if method == "POST" else None
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    if file:
        body, kind = FormData(form), {}
        body.add_field("file", BytesIO(file[1]), filename=file[0])
    async with system.http.request(
        method,
        console(system) + path,
        data=body,
        headers={**kind, **headers, **cookie},
        allow_redirects=False,
    ) as reply:
        if reply.content_type == "text/event-stream":
            return Reply(reply.status, reply.headers, "")
        return Reply(reply.status, reply.headers, await reply.text())

"""The console without a browser: one request, and what came back."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from browsers import console
from systems import System

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
) -> Reply:
    """What a page answers the holder of this session; in the tests a role is a token of its own."""
    cookie = {"Cookie": f"__Host-acmx={token}"} if token else {}
    body = urlencode(form or {}, doseq=True).encode() if method == "POST" else None
    async with system.http.request(
        method,
        console(system) + path,
        data=body,
        headers={"Content-Type": "application/x-www-form-urlencoded", **headers, **cookie},
        allow_redirects=False,
    ) as reply:
        if reply.content_type == "text/event-stream":
            return Reply(reply.status, reply.headers, "")
        return Reply(reply.status, reply.headers, await reply.text())

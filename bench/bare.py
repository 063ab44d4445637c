"""The least that a server over TLS does for a request: `python -m bench.bare DIRECTORY`.

uvicorn's HTTP on the listener of acmx, an application that reads the body and answers `ANSWER`. Shows the
certificate of ACM-2 and takes the same. Prints its port.
"""

import asyncio
import signal
import sys
from pathlib import Path

from starlette.types import Receive, Scope, Send

from acmx.faces.listener import Listener
from acmx.trust import tls

ANSWER = b"x" * 400
"""As long as a receipt."""

HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"400")]


async def answer(_scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


async def serve(directory: Path) -> None:
    pem, key = directory / "tls" / "acm2.pem", directory / "tls" / "acm2.key"
    context = tls.server_context(pem, key, [pem.read_text()])
    listener = Listener(answer, "127.0.0.1", 0, context, print)
    await listener.start()
    print(listener.port, flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await listener.stop(0.0)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))

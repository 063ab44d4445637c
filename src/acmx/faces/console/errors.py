"""An error as a page: the words of the CLI, and what to do about it."""

from starlette.responses import Response

from acmx.domain.errors import AcmxError, TooManyAttempts
from acmx.faces.console.rendering import render


def page(error: AcmxError) -> Response:
    headers = {}
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(error.members["retry_after"])
    return Response(render("error.html", error=error), error.status, headers, "text/html")

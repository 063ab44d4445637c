"""An error as a page: the words of the CLI, and what to do about it."""

from starlette.responses import Response

from acmx.domain.errors import AcmxError
from acmx.faces.console.rendering import render
from acmx.faces.problems import retry_after


def page(error: AcmxError) -> Response:
    return Response(render("error.html", error=error), error.status, retry_after(error), "text/html")

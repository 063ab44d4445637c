"""An error as a problem document (RFC 9457)."""

from typing import Any

import msgspec
from starlette.responses import Response

from acmx.domain.errors import AcmxError, NotAuthenticated
from acmx.domain.messages import PROBLEM


def problem(error: AcmxError) -> Response:
    document: dict[str, Any] = {
        "type": PROBLEM + error.type,
        "title": error.title(),
        "status": error.status,
        "detail": error.detail,
        **{name: value for name, value in error.members.items() if value is not None},
    }
    headers = (
        {"WWW-Authenticate": 'Bearer error="invalid_token"'} if isinstance(error, NotAuthenticated) else {}
    )
    return Response(
        msgspec.json.encode(document), error.status, media_type="application/problem+json", headers=headers
    )

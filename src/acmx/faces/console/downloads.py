"""What is taken away as a file."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from starlette.responses import Response

from acmx.domain.acm1 import Documents
from acmx.provisioning.files import files


def headers(name: str) -> dict[str, str]:
    """Of a file that the browser keeps under this name (ASCII)."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def file(name: str, content: bytes, media_type: str) -> Response:
    return Response(content, headers=headers(name), media_type=media_type)


def archive(documents: Documents) -> bytes:
    """A ZIP archive, laid out as `acmx provision --out` does; the same documents give the same bytes."""
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as opened:
        for place, content in files(documents):
            opened.writestr(ZipInfo(place), content, ZIP_DEFLATED)
    return packed.getvalue()

"""What pages bring along: style, script and icon, held in memory and named by their content."""

from hashlib import sha256
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from acmx.domain.errors import NotFound

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FILES = {
    file.name: file.read_bytes()
    for file in files("acmx.faces.console").joinpath("static").iterdir()
    if file.name.rpartition(".")[2] in _TYPES
}
_VERSIONS = {name: sha256(content).hexdigest()[:16] for name, content in _FILES.items()}


def address(name: str) -> str:
    """Another one when the content is another, so that browsers may keep it."""
    return f"/console/static/{name}?{_VERSIONS[name]}"


async def get_file(request: Request) -> Response:
    """Raises NotFound."""
    name = request.path_params["name"]
    if name not in _FILES:
        raise NotFound
    media_type = _TYPES[name.rpartition(".")[2]]
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_FILES[name], media_type=media_type, headers=kept)

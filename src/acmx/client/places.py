"""Paths and queries of ACM-1."""

from urllib.parse import quote, urlencode


def path(*parts: str) -> str:
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def query(place: str, **parameters: str | int | None) -> str:
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{place}?{urlencode(given)}" if given else place

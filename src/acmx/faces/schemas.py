"""The JSON schemas of a face's documents, as its OpenAPI document carries them: every member says what it means."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

SECTIONS = "What begins with docs/ in a description is a page of the documentation, after # a heading of it."


def schemas(structs: Sequence[type[Struct]]) -> tuple[dict[type[Struct], dict[str, Any]], dict[str, Any]]:
    """Return the reference to each struct, and the schemas by name that are referred to."""
    references, named = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    for schema in named.values():
        for member in schema["properties"].values():
            if member.keys() == {"enum"}:  # a tag: it is no field, so that it carries no description
                member["description"] = tag_meaning(member["enum"][0], schema["description"])
    return dict(zip(structs, references, strict=True)), named


def tag_meaning(tag: str, docstring: str) -> str:
    """Return what a tag means: the first sentence about the struct that has it."""
    sentence = docstring.partition("\n")[0].partition(". ")[0].rstrip(".")
    return f"`{tag}`: {sentence[0].lower()}{sentence[1:]}"

"""The OpenAPI 3.1 document of ACM-1, made from the table of routes."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

import acmx
from acmx.domain.acm1 import Credentials, Session, SignIn
from acmx.faces.acm1.calls import Served

PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}


def document(routes: Iterable[Served], base: str) -> dict[str, Any]:
    rows = list(routes)
    structs = {Credentials, Session, SignIn} | {
        s for row in rows for s in (row.takes, row.gives) if s is not None
    }
    ordered = sorted(structs, key=lambda struct: struct.__name__)
    schemas, components = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    schema_of = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, Any] = {
        f"{base}/": {"get": _operation("get_sign_in", [], None, schema_of[SignIn], 200) | {"security": []}},
        f"{base}/sessions": {
            "post": _operation("post_session", [], schema_of[Credentials], schema_of[Session], 201)
            | {"security": []}
        },
    }
    for row in rows:
        takes = schema_of[row.takes] if row.takes else None
        operation = _operation(row.handle.__name__, _parameters(row), takes, schema_of[row.gives], row.status)
        paths.setdefault(base + row.path, {})[row.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "ACM-1", "version": acmx.__version__, "license": {"name": "Apache-2.0"}},
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": components | {"Problem": PROBLEM_SCHEMA},
        },
    }


def _operation(
    name: str,
    parameters: list[dict[str, Any]],
    takes: dict[str, Any] | None,
    gives: dict[str, Any],
    status: int,
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": name,
        "parameters": parameters,
        "responses": {
            str(status): {"description": "done", "content": {"application/json": {"schema": gives}}},
            "default": {
                "description": "refused or failed",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    }
    if takes is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": takes}}}
    return operation


def _parameters(row: Served) -> list[dict[str, Any]]:
    text = {"type": "string"}
    named = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in re.findall(r"{(\w+)}", row.path)
    ]
    paging = ("after", "limit") if "next" in row.gives.__struct_fields__ else ()
    named += [{"name": name, "in": "query", "schema": text} for name in (*row.query, *paging)]
    if row.path == "/requests" and row.method == "POST":
        named.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": text})
    return named

"""The OpenAPI 3.1 document of ACM-1, made from the table of routes."""

import re
from collections.abc import Iterable
from typing import Any

import acmx
from acmx.domain.acm1 import Credentials, Session, SignIn
from acmx.faces.acm1.calls import LONGEST_PAGE, PAGE, Served
from acmx.faces.schemas import SECTIONS, schemas

PROBLEM_SCHEMA = {
    "type": "object",
    "description": "Why a call was refused (RFC 9457); some types have further members, see docs/acm1.md#errors.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "`urn:acmx:problem:` and a type of docs/acm1.md#errors"},
        "title": {"type": "string", "description": "one sentence, the same for each type"},
        "status": {"type": "integer", "description": "the HTTP status"},
        "detail": {"type": "string", "description": "what was wrong this time, for people"},
    },
}

IN_PATH = {
    "/requests/{id}": "id of the exchange, or PRIMARY:ID where two primary systems minted the same",
    "/partners/{id}": "MC system ID of the partner",
    "/server-identities/{version}": "number of the version, from 1",
    "/provisionings/{id}": "id of the job",
    "/accounts/{name}": "name of the account",
    "/account-changes/{id}": "id of the change that waits",
}
IN_QUERY: dict[str, tuple[str, dict[str, Any]]] = {
    "after": ("`next` of the page before; absent: the first page", {}),
    "limit": (
        f"how many items a page has at most: 1 to {LONGEST_PAGE:,}, {PAGE} where absent",
        {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE, "default": PAGE},
    ),
    "state": ("only what is in this state", {}),
    "partner": ("only what is with this partner, by MC system ID", {}),
    "event": ("only rows of this event", {}),
    "actor": ("only rows of this actor", {}),
    "exchange": ("only rows of this exchange, by id", {}),
    "since": ("only rows from this time on, with an offset", {"type": "string", "format": "date-time"}),
    "rel13": (
        "`true`: leave out what readers of Release 13 do not know; `false` where absent",
        {"enum": ["true", "false"], "default": "false"},
    ),
}
"""What chooses among what is given: its meaning, and its schema where that is not any text."""

_TEXT = {"type": "string"}


def document(routes: Iterable[Served], base: str) -> dict[str, Any]:
    """Return the document of these routes, and of the two that need no token: how to sign in, and log-on."""
    rows = list(routes)
    structs = {s for row in rows for s in (row.takes, row.gives) if s is not None}
    structs |= {Credentials, Session, SignIn}
    of, components = schemas(sorted(structs, key=lambda struct: struct.__name__))
    sign_in = _operation("get_sign_in", "Tell how people log on here", [], None, of[SignIn], 200)
    log_on = _operation("post_session", "Log on with a local account", [], of[Credentials], of[Session], 201)
    paths: dict[str, Any] = {
        f"{base}/": {"get": sign_in | {"security": []}},
        f"{base}/sessions": {"post": log_on | {"security": []}},
    }
    for row in rows:
        takes = of[row.takes] if row.takes else None
        name, summary = row.handle.__name__, row.summary
        operation = _operation(name, summary, _parameters(row), takes, of[row.gives], row.status)
        paths.setdefault(base + row.path, {})[row.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ACM-1",
            "description": f"Between an ACM client and its own ACM server. {SECTIONS}",
            "version": acmx.__version__,
            "license": {"name": "Apache-2.0"},
        },
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": components | {"Problem": PROBLEM_SCHEMA},
        },
    }


def _operation(
    name: str,
    summary: str,
    parameters: list[dict[str, Any]],
    takes: dict[str, Any] | None,
    gives: dict[str, Any],
    status: int,
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
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
    named = [
        {"name": name, "in": "path", "required": True, "description": IN_PATH[upto], "schema": _TEXT}
        for upto, name in re.findall(r"(.*{(\w+)})", row.path)
    ]
    paging = ("after", "limit") if "next" in row.gives.__struct_fields__ else ()
    for name in (*row.query, *paging):
        meaning, schema = IN_QUERY[name]
        named.append({"name": name, "in": "query", "description": meaning, "schema": schema or _TEXT})
    if row.path == "/requests" and row.method == "POST":
        named.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "chosen by the client, 1 to 255 printable ASCII characters "
                "(docs/acm1.md#idempotency-key)",
                "schema": _TEXT | {"minLength": 1, "maxLength": 255},
            }
        )
    return named

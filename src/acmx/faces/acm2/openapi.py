"""The OpenAPI 3.1 document of ACM-2. It is published in docs/; the server does not serve it."""

import re
from typing import Any, get_args

import msgspec

import acmx
from acmx.domain.comparison import UUID7, ExchangesPage
from acmx.domain.messages import AnyMessage, Receipt, Refusal
from acmx.domain.partnership import Metadata, Statement

MESSAGES = get_args(AnyMessage)
PLACE = "/acm2/v1/exchanges/{primary}/{id}/messages"
_PROBLEM = "application/problem+json"
_SIGNATURE = {"name": "ACM-Signature", "in": "header", "required": True, "schema": {"type": "string"}}
_PARAMETERS: dict[str, dict[str, Any]] = {
    "primary": {"type": "string", "format": "hostname"},
    "id": {"type": "string", "pattern": UUID7},
    "sender": {"enum": ["primary", "partner"]},
    "n": {"type": "integer", "minimum": 1, "maximum": 999_999},
}


def document() -> dict[str, Any]:
    structs = (*MESSAGES, Receipt, Refusal, ExchangesPage, Statement, Metadata)
    schemas, components = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    of = dict(zip(structs, schemas, strict=True))
    message = {"oneOf": [of[struct] for struct in MESSAGES]}
    since = {
        "name": "since",
        "in": "query",
        "required": True,
        "schema": {"type": "string", "format": "date-time"},
    }
    page = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("after", "limit")]
    return {
        "openapi": "3.1.0",
        "info": {"title": "ACM-2", "version": acmx.__version__, "license": {"name": "Apache-2.0"}},
        "security": [{"certificate": []}],
        "paths": {
            f"{PLACE}/{{n}}": {
                "put": _operation("put_message", f"{PLACE}/{{n}}", of[Receipt], of[Refusal], takes=message)
            },
            f"{PLACE}/{{sender}}/{{n}}": {
                "get": _operation("get_message", f"{PLACE}/{{sender}}/{{n}}", message, of[Refusal])
            },
            "/acm2/v1/exchanges": {
                "get": _operation("get_exchanges", "", of[ExchangesPage], of[Refusal], more=[since, *page])
            },
            "/acm2/v1/partnership": {
                "post": _operation("post_statement", "", of[Statement], of[Refusal], takes=of[Statement])
            },
            "/acm2/v1/metadata": {"get": _operation("get_metadata", "", of[Metadata], of[Refusal])},
        },
        "components": {
            "securitySchemes": {"certificate": {"type": "mutualTLS"}},
            "schemas": components,
        },
    }


def _operation(
    name: str,
    path: str,
    gives: dict[str, Any],
    refusal: dict[str, Any],
    *,
    takes: dict[str, Any] | None = None,
    more: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    in_path = [
        {"name": given, "in": "path", "required": True, "schema": _PARAMETERS[given]}
        for given in re.findall(r"{(\w+)}", path)
    ]
    operation: dict[str, Any] = {
        "operationId": name,
        "parameters": [*in_path, *(more or []), *([_SIGNATURE] if takes else [])],
        "responses": {
            "200": {"description": "done, and signed", "content": {"application/json": {"schema": gives}}},
            "default": {"description": "refused or failed", "content": {_PROBLEM: {"schema": refusal}}},
        },
    }
    if takes:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": takes}}}
    return operation

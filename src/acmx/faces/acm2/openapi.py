"""The OpenAPI 3.1 document of ACM-2. It is published in docs/; the server does not serve it."""

from typing import Any, get_args

import acmx
from acmx.domain.comparison import UUID7, ExchangesPage
from acmx.domain.messages import AnyMessage, Receipt, Refusal
from acmx.domain.partnership import Metadata, Statement
from acmx.faces.acm2.app import LARGEST_PAGE
from acmx.faces.schemas import SECTIONS, schemas
from acmx.flows.reconciliation.tell_exchanges import PAGE

MESSAGES = get_args(AnyMessage)
PLACE = "/acm2/v1/exchanges/{primary}/{id}/messages"
_PROBLEM = "application/problem+json"
_SIGNATURE = {
    "name": "ACM-Signature",
    "in": "header",
    "required": True,
    "description": "the sender's signature of the body (docs/protocol/signature.md)",
    "schema": {"type": "string"},
}
_IN_PATH: dict[str, tuple[str, dict[str, Any]]] = {
    "primary": ("MC system ID of the primary system", {"type": "string", "format": "hostname"}),
    "id": ("id of the exchange: UUID of version 7 in lower case", {"type": "string", "pattern": UUID7}),
    "sender": ("which of the two systems sent the message", {"enum": ["primary", "partner"]}),
    "n": (
        "number of the message among those of its sender in the exchange, from 1",
        {"type": "integer", "minimum": 1, "maximum": 999_999},
    ),
}
_IN_QUERY: dict[str, tuple[str, dict[str, Any]]] = {
    "since": (
        "what is open, has a live grant or ended after this; a time with an offset",
        {"type": "string", "format": "date-time"},
    ),
    "after": ("`next` of the page before; absent: the first page", {"type": "string"}),
    "limit": (
        f"how many items the page has at most: 1 to {LARGEST_PAGE:,}, {PAGE} where absent",
        {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE},
    ),
}


def document() -> dict[str, Any]:
    """Return the document."""
    of, components = schemas((*MESSAGES, Receipt, Refusal, ExchangesPage, Statement, Metadata))
    refusal = of[Refusal]
    message = {"oneOf": [of[struct] for struct in MESSAGES]}
    page = [
        {"name": name, "in": "query", "required": name == "since", "description": meaning, "schema": schema}
        for name, (meaning, schema) in _IN_QUERY.items()
    ]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ACM-2",
            "description": f"Between the ACM servers of two MC systems. {SECTIONS}",
            "version": acmx.__version__,
            "license": {"name": "Apache-2.0"},
        },
        "security": [{"certificate": []}],
        "paths": {
            f"{PLACE}/{{n}}": {
                "put": _operation(
                    "put_message",
                    "Send a message",
                    _in_path("primary", "id", "n"),
                    of[Receipt],
                    refusal,
                    takes=message,
                )
            },
            f"{PLACE}/{{sender}}/{{n}}": {
                "get": _operation(
                    "get_message",
                    "Fetch a stored message of either system",
                    _in_path("primary", "id", "sender", "n"),
                    message,
                    refusal,
                )
            },
            "/acm2/v1/exchanges": {
                "get": _operation(
                    "get_exchanges",
                    "List the common exchanges, to compare them",
                    page,
                    of[ExchangesPage],
                    refusal,
                )
            },
            "/acm2/v1/partnership": {
                "post": _operation(
                    "post_statement",
                    "Say how the partnership stands, and hear the same",
                    [],
                    of[Statement],
                    refusal,
                    takes=of[Statement],
                )
            },
            "/acm2/v1/metadata": {
                "get": _operation(
                    "get_metadata", "Fetch what the system says of itself", [], of[Metadata], refusal
                )
            },
        },
        "components": {
            "securitySchemes": {"certificate": {"type": "mutualTLS"}},
            "schemas": components,
        },
    }


def _in_path(*names: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "description": meaning, "schema": schema}
        for name, (meaning, schema) in ((name, _IN_PATH[name]) for name in names)
    ]


def _operation(
    name: str,
    summary: str,
    parameters: list[dict[str, Any]],
    gives: dict[str, Any],
    refusal: dict[str, Any],
    *,
    takes: dict[str, Any] | None = None,
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "parameters": [*parameters, *([_SIGNATURE] if takes else [])],
        "responses": {
            "200": {"description": "done, and signed", "content": {"application/json": {"schema": gives}}},
            "default": {"description": "refused or failed", "content": {_PROBLEM: {"schema": refusal}}},
        },
    }
    if takes:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": takes}}}
    return operation

"""The OpenAPI documents: that of ACM-1 as the server gives it, and both as they lie in docs."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from acmx.faces.acm1.routes import ROUTES
from acmx.faces.acm2.openapi import document as acm2
from support.systems.permits import ACM2
from support.systems.systems import two_systems

BASE = "/acm1/v1"
DOCS = Path(__file__).parents[3] / "docs"
KINDS = {"partnership": "statement", "exchanges": "exchangespage"}
PUBLISHED = ("openapi-acm1.json", "openapi-acm2.json")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Any:
    async def published() -> Any:
        async with two_systems(tmp_path_factory.mktemp("systems"), start=False) as (police, _):
            await police.start()
            status, found = await police.call("GET", "/openapi.json", account=None)
            assert status == 200
            return found

    return asyncio.run(published())


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def inside(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from inside(child)


def test_what_is_published_is_what_is_served(document: Any) -> None:
    assert json.loads((DOCS / "openapi-acm1.json").read_text()) == document
    assert json.loads((DOCS / "openapi-acm2.json").read_text()) == json.loads(json.dumps(acm2()))
    assert all(path.startswith(BASE) for path in document["paths"])


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_is_valid_openapi_3_1(name: str) -> None:
    OpenAPIV31SpecValidator(json.loads((DOCS / name).read_text())).validate()


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_operation_says_what_it_does_and_every_parameter_and_property_what_it_means(name: str) -> None:
    published = json.loads((DOCS / name).read_text())
    schemas = published["components"]["schemas"]
    silent = [
        f"{method} {path}" for method, path, found in operations(published) if not said(found, "summary")
    ]
    silent += [
        f"{method} {path}: {parameter['name']}"
        for method, path, found in operations(published)
        for parameter in found["parameters"]
        if not said(parameter)
    ]
    silent += [name for name, schema in schemas.items() if not said(schema)]
    silent += [
        f"{name}.{member}"
        for name, schema in schemas.items()
        for member, found in schema["properties"].items()
        if not said(found)
    ]
    assert silent == []


def said(node: dict[str, Any], where: str = "description") -> bool:
    return bool(node.get(where, "").strip())


def test_every_summary_is_of_its_operation_alone(document: Any) -> None:
    summaries = [operation["summary"] for _, _, operation in operations(document)]
    assert len(set(summaries)) == len(summaries)


def test_every_reference_leads_somewhere(document: Any) -> None:
    references = [node["$ref"] for node in inside(document) if "$ref" in node]
    assert references
    for reference in references:
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert isinstance(found, dict)


def test_every_route_is_in_it_and_nothing_that_is_not_served(document: Any) -> None:
    served = {(row.method.lower(), BASE + row.path) for row in ROUTES}
    assert {(method, path) for method, path, _ in operations(document)} - served == {
        ("get", f"{BASE}/"),
        ("post", f"{BASE}/sessions"),
    }
    assert served <= {(method, path) for method, path, _ in operations(document)}


def test_every_operation_has_a_name_of_its_own_its_parameters_and_its_bodies(document: Any) -> None:
    named = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(named)) == len(named)
    for method, path, operation in operations(document):
        in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path))
        assert all(p["required"] for p in operation["parameters"] if p["in"] == "path")
        rows = [row for row in ROUTES if (row.method.lower(), BASE + row.path) == (method, path)]
        for row in rows:
            success = operation["responses"][str(row.status)]["content"]["application/json"]["schema"]
            assert success == {"$ref": f"#/components/schemas/{row.gives.__name__}"}
            taken = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            assert ("schema" in taken) is (row.takes is not None)
        assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_every_operation_but_log_on_and_how_to_asks_for_the_bearer_token(document: Any) -> None:
    assert document["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    open_to_all = [path for _, path, operation in operations(document) if operation.get("security") == []]
    assert open_to_all == [f"{BASE}/", f"{BASE}/sessions"]


@pytest.mark.law(13)
def test_every_page_says_how_to_ask_for_the_next(document: Any) -> None:
    paged = [row for row in ROUTES if row.method == "GET" and "next" in row.gives.__struct_fields__]
    assert len(paged) >= 4
    for row in paged:
        operation = document["paths"][BASE + row.path]["get"]
        assert {"after", "limit"} <= {p["name"] for p in operation["parameters"] if p["in"] == "query"}


def test_the_document_of_acm_2_lies_in_docs_and_has_every_route() -> None:
    published = json.loads((DOCS / "openapi-acm2.json").read_text())
    assert {f"{method.upper()} {path}" for method, path, _ in operations(published)} == set(ACM2)
    for node in inside(published):
        if "$ref" in node:
            assert node["$ref"].removeprefix("#/components/schemas/") in published["components"]["schemas"]


def test_every_answer_of_acm_2_is_what_the_document_says() -> None:
    """The examples of the protocol page, which are what the server says, have the members of their schemas."""
    schemas = acm2()["components"]["schemas"]
    for path in (DOCS / "examples" / "acm2").glob("*.json"):
        found = json.loads(path.read_text())
        kind = "refusal" if found["type"].startswith("urn:") else found["type"]
        schema = next(s for name, s in schemas.items() if name.lower().startswith(KINDS.get(kind, kind)))
        assert set(schema["required"]) <= found.keys() <= set(schema["properties"]), path.name


def test_every_operation_names_what_its_query_may_choose(document: Any) -> None:
    found = {
        (method, path.removeprefix(BASE)): {p["name"] for p in operation["parameters"] if p["in"] == "query"}
        for method, path, operation in operations(document)
    }
    paged = {"after", "limit"}
    assert found["get", "/requests"] == {"state", "partner"} | paged
    assert found["get", "/audit"] == {"event", "actor", "exchange"} | paged
    assert found["get", "/outbox"] == {"partner"} | paged
    assert found["get", "/provisionings/{id}/rows"] == {"state"} | paged
    assert found["get", "/requests/{id}/documents"] == {"rel13"}
    assert found["get", "/audit/rows"] == {"since"} | paged
    assert found["post", "/policy/trial"] == paged
    assert found["get", "/partners"] == set()

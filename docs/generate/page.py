"""docs/protocol.md, docs/evidence.md: what stands between a pair of markers is generated, people write the rest.

<!-- generated: NAME ARGUMENTS -->
...
<!-- end -->
"""

import hashlib
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from docs.generate import examples, journalled, members, rules
from docs.generate.delivery import Files
from docs.generate.systems import POLICE

from acmx.faces.acm1 import openapi as acm1
from acmx.faces.acm1.app import BASE
from acmx.faces.acm1.routes import ROUTES
from acmx.faces.acm2 import openapi as acm2

DOCS = Path(__file__).parent.parent
_PART = re.compile(r"(<!-- generated: ([^>]+?) -->\n).*?(<!-- end -->)", re.DOTALL)


@cache
def golden_files() -> Files:
    """File name below docs/examples: content, byte for byte."""
    return examples.make()


def openapi_files() -> dict[str, str]:
    """The OpenAPI document of each reference point, by its file name below docs/."""
    documents = {"openapi-acm1.json": acm1.document(ROUTES, BASE), "openapi-acm2.json": acm2.document()}
    return {
        name: json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for name, document in documents.items()
    }


def page(files: Files, name: str = "protocol.md") -> str:
    """The page as it has to be, from the page as it stands."""
    written = (DOCS / name).read_text(encoding="utf-8")
    return _PART.sub(lambda part: f"{part[1]}\n{_generated(files, part[2])}\n\n{part[3]}", written)


def _generated(files: Files, marker: str) -> str:
    """Raises KeyError where there is no such part."""
    name, *arguments = marker.split()
    parts: dict[str, Callable[..., str]] = {
        "example": lambda file, *brief: _example(files, file, brief=bool(brief)),
        "members": lambda struct: members.table(members.STRUCTS[struct]),
        "transitions": rules.transitions,
        "diagram": rules.diagram,
        "signed-errors": rules.signed_errors,
        "unsigned-errors": rules.unsigned_errors,
        "client-errors": rules.client_errors,
        "routes": rules.routes,
        "roles": rules.roles,
        "steps": rules.steps,
        "catalogue-rows": rules.catalogue_rows,
        "policy-facts": rules.policy_facts,
        "journalled": journalled.events,
        "signature": lambda: _signature(files),
    }
    return parts[name](*arguments)


def _example(files: Files, file: str, *, brief: bool) -> str:
    document = json.loads(files[f"{file}.json"])
    if brief:
        document = _brief(document)
    shown = json.dumps(document, indent=2, ensure_ascii=False)
    return f"[`{file}.json`](examples/{file}.json)\n\n```json\n{shown}\n```"


def _brief(document: Any) -> Any:
    """The server identities, the journal and what a role may do left out: they are shown elsewhere."""
    if isinstance(document, list):
        return [_brief(item) for item in document]
    if not isinstance(document, dict):
        return document
    shown = {name: _brief(value) for name, value in document.items()}
    for name in ("server_identity", "disclosed"):
        if name in shown:
            shown[name] = {"…": "…"}
    for name in ("journal", "steps", "may"):
        if len(shown.get(name, ())) > 2:
            shown[name] = [*shown[name][:2], {"…": "…"}]
    return shown


def _signature(files: Files) -> str:
    """The worked example of section 5, from the request and its signature."""
    body = files["acm2/request.json"]
    value = files["acm2/request.signature"].decode().strip()
    header, _, signature = value.split(".")
    protected = urlsafe_b64decode(header + "=" * (-len(header) % 4)).decode()
    encoded = urlsafe_b64encode(body).rstrip(b"=").decode()
    seed = urlsafe_b64encode(bytes.fromhex(POLICE.seed)).rstrip(b"=").decode()
    return "\n\n".join(
        [
            _block("private key `d` (base64url)", seed),
            _block(f"body: the {len(body)} bytes of `examples/acm2/request.json`", body.decode()),
            _block("digest: SHA-256 of the body", hashlib.sha256(body).hexdigest()),
            _block("protected header", protected),
            _block("signature input: BASE64URL(protected header) `.` BASE64URL(body)", f"{header}.{encoded}"),
            _block("signature: 64 bytes, base64url", signature),
            _block("header field", f"ACM-Signature: {value}"),
        ]
    )


def _block(title: str, text: str) -> str:
    return f"{title[0].upper()}{title[1:]}:\n\n```text\n{text}\n```"

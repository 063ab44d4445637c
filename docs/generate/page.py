"""The pages of docs/: what stands between a pair of markers is generated, people write the rest.

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

from docs.generate import examples, journalled, members, rules
from docs.generate.delivery import Files
from docs.generate.links import linked
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


def pages(files: Files) -> dict[Path, str]:
    """Each page that has a generated part, as it has to be, from the page as it stands."""
    written = {path: path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md"))}
    return {path: _page(files, path, text) for path, text in written.items() if _PART.search(text)}


def _page(files: Files, path: Path, written: str) -> str:
    return _PART.sub(lambda part: f"{part[1]}\n{_generated(files, part[2], path)}\n\n{part[3]}", written)


def _generated(files: Files, marker: str, path: Path) -> str:
    """Raises KeyError where there is no such part."""
    name, *arguments = marker.split()
    parts: dict[str, Callable[..., str]] = {
        "examples": lambda folder: _examples(files, folder),
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
    return linked(parts[name](*arguments), path)


def _examples(files: Files, folder: str) -> str:
    """Every document of a folder of examples, laid out; the file has its bytes."""
    documents = {Path(name).stem: name for name in sorted(files) if re.match(rf"{folder}/.*\.json", name)}
    return "\n\n".join(
        f"## {title}\n\n[{name}]({name})\n\n```json\n"
        f"{json.dumps(json.loads(files[name]), indent=2, ensure_ascii=False)}\n```"
        for title, name in documents.items()
    )


def _signature(files: Files) -> str:
    """The worked example of a signature, from the request and its signature."""
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

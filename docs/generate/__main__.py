"""Rewrite docs/protocol.md, docs/evidence.md, docs/examples and docs/openapi-acm2.json."""

import json

from docs.generate.page import DOCS, golden_files, page

from acmx.faces.acm2.openapi import document

files = golden_files()
for folder in ("acm1", "acm2"):
    for stale in (DOCS / "examples" / folder).glob("*"):
        stale.unlink()
for name, content in files.items():
    (DOCS / "examples" / name).write_bytes(content)
for name in ("protocol.md", "evidence.md"):
    (DOCS / name).write_text(page(files, name), encoding="utf-8")
(DOCS / "openapi-acm2.json").write_text(json.dumps(document(), indent=2) + "\n", encoding="utf-8")

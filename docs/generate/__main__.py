"""Rewrite the generated parts of the pages of docs/, docs/examples and docs/openapi-acm1.json and -acm2.json."""

from docs.generate.page import DOCS, golden_files, openapi_files, pages

files = golden_files()
for folder in ("acm1", "acm2"):
    for stale in (DOCS / "examples" / folder).glob("*"):
        stale.unlink()
for name, content in files.items():
    (DOCS / "examples" / name).write_bytes(content)
for path, text in pages(files).items():
    path.write_text(text, encoding="utf-8")
for name, text in openapi_files().items():
    (DOCS / name).write_text(text, encoding="utf-8")

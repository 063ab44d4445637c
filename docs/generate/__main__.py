"""Rewrite docs/protocol.md and docs/examples."""

from docs.generate.page import DOCS, golden_files, page

files = golden_files()
for folder in ("acm1", "acm2"):
    for stale in (DOCS / "examples" / folder).glob("*"):
        stale.unlink()
for name, content in files.items():
    (DOCS / "examples" / name).write_bytes(content)
(DOCS / "protocol.md").write_text(page(files), encoding="utf-8")

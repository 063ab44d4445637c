"""`python -m bench.pictures FILE.json OUT.svg`: how each measure stands to its aim.

A bar is the value in parts of the aim, on a scale of doublings; green where the aim is met. For light and dark pages.
"""

import sys
from html import escape
from math import log2
from pathlib import Path

import msgspec
from bench.results import Result
from msgspec import Struct

WIDTH, TEXT, ROW, EACH = 940, 510, 22, 46
"""Pixels: of the picture, of its texts, of a line, of a doubling."""

STYLE = """
text{font:13px system-ui,sans-serif;fill:#1b2733}.v{fill:#5a6b7b;font-size:12px}.met{fill:#2f7d4f}.not{fill:#b3442e}
line{stroke:#5a6b7b}@media(prefers-color-scheme:dark){text{fill:#e3e9ef}.v{fill:#9fb0c0}.met{fill:#58b27c}.not{fill:#e0775f}}
"""


class Found(Struct):
    """What `python -m bench --json` writes."""

    machine: dict[str, object]
    found: list[Result]


def picture(results: list[Result]) -> str:
    """An SVG document."""
    lines = [bar(n, result) for n, result in enumerate(result for result in results if result.aim)]
    height = ROW * len(lines) + 30
    middle = TEXT + (WIDTH - TEXT) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>Measures against their aims</title><style>{STYLE}</style>"
        f'<line x1="{middle}" x2="{middle}" y1="4" y2="{height - 22}"/>{"".join(lines)}'
        f'<text class="v" x="{middle}" y="{height - 6}" text-anchor="middle">the aim; each step to the right '
        "is twice as good</text></svg>\n"
    )


def bar(n: int, result: Result) -> str:
    aim, value = result.aim or 1.0, max(result.value, 1e-9)
    better = value / aim if result.side == "at least" else aim / value
    middle, y = TEXT + (WIDTH - TEXT) / 2, ROW * n + 8
    length = max(-4.0, min(4.0, log2(better))) * EACH
    x, width = (middle, length) if length >= 0 else (middle + length, -length)
    said = f"{result.value:.3g} {result.unit}".strip() + f" ({result.side} {aim:g})"
    return (
        f'<text x="0" y="{y + 11}">{escape(result.what)}</text>'
        f'<text class="v" x="{TEXT - 8}" y="{y + 11}" text-anchor="end">{escape(said)}</text>'
        f'<rect class="{"met" if result.met else "not"}" x="{x:.0f}" y="{y}" width="{max(width, 2):.0f}" height="13"/>'
    )


def main() -> int:
    found = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Found)
    Path(sys.argv[2]).write_text(picture(found.found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

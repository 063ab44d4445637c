"""The text of strangers made harmless for terminals and logs."""


def plain(text: str, *, lines: bool = True) -> str:
    """`text` without control and formatting characters, line feeds kept unless `lines` is false."""
    return "".join(
        c if c.isprintable() or (lines and c == "\n") else "\N{REPLACEMENT CHARACTER}" for c in text
    )

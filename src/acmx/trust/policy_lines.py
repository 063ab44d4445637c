"""Where in a policy text something stands: Cedar itself names neither line nor column."""

import re
from collections.abc import Callable

_TOKEN = re.compile(r'\s+|//[^\n]*|"(?:\\.|[^"\\])*"|;|[^\s;"/]+|.', re.DOTALL)


def rules_in(text: str) -> list[tuple[int, str]]:
    """The offset and the text of each rule, in order; what is left after the last `;` counts as one."""
    found, begin = [], None
    for token in _TOKEN.finditer(text):
        word = token[0]
        if begin is None and not word.isspace() and not word.startswith("//"):
            begin = token.start()
        if word == ";" and begin is not None:
            found.append((begin, text[begin : token.end()]))
            begin = None
    return found if begin is None else [*found, (begin, text[begin:])]


def line_at(text: str, offset: int) -> int:
    """1 for the first line."""
    return text.count("\n", 0, offset) + 1


def line_of(text: str, rule: int, word: str | None) -> int:
    """The line of `word` in the rule of this index, or where the rule begins."""
    begin, rule_text = rules_in(text)[rule]
    named = re.search(rf"\b{re.escape(word)}\b", rule_text) if word else None
    return line_at(text, begin + (named.start() if named else 0))


def line_of_first(text: str, is_broken: Callable[[str], bool]) -> int:
    """The line where the first broken rule begins; the last line where none is."""
    begins = (begin for begin, rule in rules_in(text) if is_broken(rule))
    return line_at(text, next(begins, len(text)))

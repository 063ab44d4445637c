"""All words of the console: one file a language, a table a page. Errors and rules speak in the domain's own words."""

import tomllib
from importlib.resources import files
from typing import Any


class Texts:
    """The texts of one language, by `table.name`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.tables: dict[str, dict[str, str]] = tomllib.loads(
            files(__package__).joinpath(f"{language}.toml").read_text()
        )

    def __call__(self, key: str, **given: Any) -> str:
        """The text, with what is given in its places. `one|many` is chosen by `n`. Raises KeyError."""
        table, _, name = key.partition(".")
        text = self.tables[table][name]
        if "|" in text:
            one, _, many = text.partition("|")
            text = one if given["n"] == 1 else many
        return text.format(**given) if given else text

    def has(self, key: str) -> bool:
        table, _, name = key.partition(".")
        return name in self.tables.get(table, {})


ENGLISH = Texts("en")

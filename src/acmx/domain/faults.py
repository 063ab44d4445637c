"""What is wrong with a document, field by field."""

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong: the field (path with dots and [index]), its value as given, the rule it breaks."""

    field: str
    value: str
    rule: str

    def __str__(self) -> str:
        shown = repr(self.value) if self.value else ""
        return " ".join(part for part in (self.field and f"{self.field}:", shown, self.rule) if part)

"""What is answered automatically."""

from typing import Annotated

from msgspec import Meta, Struct

from acmx.domain.messages import Moment


class PolicyInput(Struct, frozen=True, forbid_unknown_fields=True):
    """A policy text (Cedar)."""

    text: Annotated[str, Meta(max_length=1_000_000)]


class Policy(Struct, frozen=True, omit_defaults=True):
    """The policy that holds, or the one that was checked; `rules` are its names in order."""

    version: int
    text: str
    rules: list[str]
    set_at: Moment | None = None
    set_by: str | None = None

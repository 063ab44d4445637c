"""Roles and what each may do."""

from typing import Annotated

from msgspec import Meta, Struct

from acmx.domain import meanings


class PermissionShown(Struct, frozen=True):
    """A permission, in plain words."""

    name: Annotated[str, meanings.RULE_NAME]
    meaning: Annotated[str, Meta(description="in plain words, after «may»")]


class RoleShown(Struct, frozen=True):
    """A role and all it may do."""

    name: Annotated[str, meanings.RULE_NAME]
    may: Annotated[list[PermissionShown], Meta(description="all it may do")]


class Roles(Struct, frozen=True):
    """Every role."""

    items: Annotated[list[RoleShown], Meta(description="every role")]

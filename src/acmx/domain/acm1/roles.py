"""Roles and what each may do."""

from typing import Annotated

from msgspec import Meta, Struct


class PermissionShown(Struct, frozen=True):
    """A permission, in plain words."""

    name: Annotated[str, Meta(description="name of the permission")]
    meaning: Annotated[str, Meta(description="in plain words, after «may»")]


class RoleShown(Struct, frozen=True):
    """A role and all it may do."""

    name: Annotated[str, Meta(description="name of the role")]
    may: Annotated[list[PermissionShown], Meta(description="all it may do")]


class Roles(Struct, frozen=True):
    """Every role."""

    items: Annotated[list[RoleShown], Meta(description="every role")]

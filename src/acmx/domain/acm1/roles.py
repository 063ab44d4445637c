"""Roles and what each may do."""

from msgspec import Struct


class PermissionShown(Struct, frozen=True):
    """A permission, in plain words."""

    name: str
    meaning: str


class RoleShown(Struct, frozen=True):
    """A role and all it may do."""

    name: str
    may: list[PermissionShown]


class Roles(Struct, frozen=True):
    """Every role."""

    items: list[RoleShown]

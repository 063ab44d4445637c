"""Logging on, and the accounts of people."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from acmx.domain.messages import Moment, Short


class Credentials(Struct, frozen=True, forbid_unknown_fields=True):
    """Log-on with a local account."""

    account: Short
    password: Annotated[str, Meta(max_length=1024)]


class Session(Struct, frozen=True):
    """A log-on: the bearer token, and who it stands for."""

    token: str
    account: str
    mc_service_id: str
    roles: list[str]
    system: str
    ends_at: Moment


class ProviderSignIn(Struct, frozen=True, omit_defaults=True):
    """How a client gets an access token for this server: authorization code with PKCE (S256)."""

    issuer: str
    client_id: str
    scope: str
    resource: str | None = None
    acr_values: str | None = None


class SignIn(Struct, frozen=True, omit_defaults=True):
    """How people log on here: with a local account, and with the OpenID provider where one is named."""

    system: str
    oidc: ProviderSignIn | None = None


class Standing(Struct, frozen=True):
    """Who the bearer token stands for."""

    account: str
    mc_service_id: str
    roles: list[str]
    system: str
    automatic: bool


class PasswordChange(Struct, frozen=True, forbid_unknown_fields=True):
    """A new password for the caller's own account."""

    current: Annotated[str, Meta(max_length=1024)]
    new: Annotated[str, Meta(min_length=12, max_length=1024)]


class NewAccount(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An account to be added."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    mc_service_id: Short
    roles: tuple[str, ...]
    password: Annotated[str, Meta(min_length=12, max_length=1024)]
    functional_aliases: tuple[Short, ...] = ()
    automatic: bool = False
    mail: str | None = None


class AccountChange(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to be otherwise; what is absent stays. A mail address of null is taken away."""

    roles: tuple[str, ...] | UnsetType = UNSET
    mail: str | UnsetType | None = UNSET


class Account(Struct, frozen=True, omit_defaults=True):
    """An account; its password never leaves the server.

    `in_doubt`: its MC service ID is that of other accounts too, those of `shares_with` that are enabled, and none is
    chosen; `waiting`: the id of what was asked for it and waits for a second operator.
    """

    name: str
    mc_service_id: str
    functional_aliases: list[str]
    roles: list[str]
    automatic: bool
    disabled: bool
    mail: str | None = None
    in_doubt: bool = False
    shares_with: list[str] = []
    waiting: str | None = None


class Accounts(Struct, frozen=True, omit_defaults=True):
    """A page of accounts by name."""

    items: list[Account]
    next: str | None = None

"""Logging on, and the accounts of people."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from acmx.domain import meanings
from acmx.domain.messages import Moment, Short


class Credentials(Struct, frozen=True, forbid_unknown_fields=True):
    """Log-on with a local account."""

    account: Annotated[Short, Meta(description="name of a local account")]
    password: Annotated[str, Meta(max_length=1024, description="its password")]


class Session(Struct, frozen=True):
    """A log-on: the bearer token, and who it stands for."""

    token: Annotated[str, Meta(description="the bearer token")]
    account: Annotated[str, Meta(description="name of the account")]
    mc_service_id: Annotated[str, meanings.MC_SERVICE_ID]
    roles: Annotated[list[str], meanings.ROLES]
    system: Annotated[str, meanings.THIS_SYSTEM]
    ends_at: Annotated[Moment, Meta(description="when the token ends: 12 hours after log-on")]


class ProviderSignIn(Struct, frozen=True, omit_defaults=True):
    """How a client gets an access token for this server: authorization code with PKCE (S256)."""

    issuer: Annotated[
        str,
        Meta(
            description="issuer identifier; its metadata are at `/.well-known/openid-configuration` below it"
        ),
    ]
    client_id: Annotated[str, Meta(description="the public client for ACM clients of this system")]
    scope: Annotated[str, Meta(description="what to ask for")]
    resource: Annotated[
        str | None, Meta(description="`resource` of the authorization and of the token request (RFC 8707)")
    ] = None
    acr_values: Annotated[str | None, Meta(description="`acr_values` of the authorization request")] = None


class SignIn(Struct, frozen=True, omit_defaults=True):
    """How people log on here: with a local account, and with the OpenID provider where one is named."""

    system: Annotated[str, meanings.THIS_SYSTEM]
    oidc: Annotated[
        ProviderSignIn | None, Meta(description="the OpenID provider; absent: there are local accounts alone")
    ] = None


class Standing(Struct, frozen=True):
    """Who the bearer token stands for."""

    account: Annotated[
        str, Meta(description="name of the local account, or `oidc:` and the subject of the OpenID provider")
    ]
    mc_service_id: Annotated[str, meanings.MC_SERVICE_ID]
    roles: Annotated[list[str], meanings.ROLES]
    system: Annotated[str, meanings.THIS_SYSTEM]
    automatic: Annotated[
        bool, Meta(description="a service account: what it decides is shown as decided by an agent")
    ]


class PasswordChange(Struct, frozen=True, forbid_unknown_fields=True):
    """A new password for the caller's own account."""

    current: Annotated[str, Meta(max_length=1024, description="the password so far")]
    new: Annotated[str, Meta(min_length=12, max_length=1024, description="12 characters or more")]


class NewAccount(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An account to be added."""

    name: Annotated[
        str,
        Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", description="lower case letters, digits, `.`, `_`, `-`"),
    ]
    mc_service_id: Annotated[Short, Meta(description="MC service ID, of a realm of this system")]
    roles: Annotated[
        tuple[str, ...], Meta(description="at least one; see docs/acm1.md#roles-and-permissions")
    ]
    password: Annotated[str, Meta(min_length=12, max_length=1024, description="12 characters or more")]
    functional_aliases: Annotated[
        tuple[Short, ...], Meta(description="the first one is the alias the person asks under")
    ] = ()
    automatic: Annotated[bool, meanings.AUTOMATIC] = False
    mail: Annotated[str | None, Meta(description="where the person is written to; ASCII")] = None


class AccountChange(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to be otherwise; what is absent stays. A mail address of null is taken away."""

    roles: Annotated[
        tuple[str, ...] | UnsetType,
        Meta(description="all roles from now on, also of sessions that have begun; at least one"),
    ] = UNSET
    mail: Annotated[
        str | UnsetType | None, Meta(description="where the person is written to from now on; null: nowhere")
    ] = UNSET


class Account(Struct, frozen=True, omit_defaults=True):
    """An account; its password never leaves the server."""

    name: Annotated[str, Meta(description="name of the account")]
    mc_service_id: Annotated[str, meanings.MC_SERVICE_ID]
    functional_aliases: Annotated[list[str], Meta(description="its functional aliases")]
    roles: Annotated[list[str], meanings.ROLES]
    automatic: Annotated[bool, meanings.AUTOMATIC]
    disabled: Annotated[bool, Meta(description="nobody logs on with it any more")]
    mail: Annotated[str | None, Meta(description="where the person is written to")] = None
    in_doubt: Annotated[
        bool,
        Meta(description="other accounts have its MC service ID too, and none is chosen: it decides nothing"),
    ] = False
    shares_with: Annotated[list[str], Meta(description="those of them that are enabled")] = []
    waiting: Annotated[
        str | None, Meta(description="id of what was asked for it and waits for a second operator")
    ] = None


class Accounts(Struct, frozen=True, omit_defaults=True):
    """A page of accounts by name."""

    items: Annotated[list[Account], Meta(description="by name")]
    next: Annotated[str | None, meanings.NEXT] = None

"""From the configuration to how people log on."""

import ssl
from collections.abc import Callable
from pathlib import Path

from acmx.config import Config
from acmx.delivery.clock_guard import since_boot
from acmx.delivery.provider import Provider
from acmx.domain.acm1 import ProviderSignIn, SignIn
from acmx.domain.errors import Misconfigured


def provider(directory: Path, config: Config, steady: Callable[[], float] = since_boot) -> Provider | None:
    """None where no OpenID provider is named. Raises Misconfigured where the file of its authority is no use."""
    oidc = config.oidc
    if not oidc.issuer:
        return None
    authority = directory / oidc.ca_file if oidc.ca_file else None
    try:
        context = ssl.create_default_context(cafile=authority)
    except OSError as error:
        raise Misconfigured(f"{oidc.ca_file}: {error.strerror or error}") from error
    return Provider(oidc.issuer, context, steady)


def sign_in(config: Config) -> SignIn:
    """What a client is told that does not know yet how people log on here."""
    oidc = config.oidc
    if not oidc.issuer:
        return SignIn(config.system)
    wanted = ["openid", oidc.scope, *(["offline_access"] if oidc.offline_access else [])]
    told = ProviderSignIn(
        oidc.issuer, oidc.client_id, " ".join(wanted), oidc.resource or None, oidc.acr_values or None
    )
    return SignIn(config.system, told)

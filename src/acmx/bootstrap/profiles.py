"""The user profiles that are provisioned, as the configuration names them."""

from collections.abc import Mapping

import msgspec

from acmx.config import Provisioning
from acmx.domain.acm1 import Service
from acmx.provisioning.names import PROFILES, Profile


def profiles(given: Provisioning) -> Mapping[Service, Profile]:
    """Those of the services that are switched on, in the order of the standard."""
    names = {"mcptt": given.mcptt, "mcdata": given.mcdata}
    return {
        service: msgspec.structs.replace(
            known, **{field: name for field, name in _named(names.get(service)).items() if name}
        )
        for service, known in PROFILES.items()
        if service in given.services
    }


def _named(names: msgspec.Struct | None) -> dict[str, str]:
    return msgspec.structs.asdict(names) if names else {}

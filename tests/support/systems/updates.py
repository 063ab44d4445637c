"""A partner that changes what it gives."""

import tomllib
from typing import Any

from support.systems.systems import EXAMPLES, System, eventually

CATALOGUE: dict[str, Any] = tomllib.loads((EXAMPLES / "catalogues" / "county-fire.toml").read_text())
KMS = "https://kms-2.mc.county-fire.example"
ASKER = [("asker", "sip:admin@mc.metro-police.example")]


def messages_of(system: System, id_: str, type_: str) -> Any:
    return system.rows(f"SELECT n FROM message WHERE id = '{id_}' AND type = '{type_}' ORDER BY n")


async def publish(system: System, **changes: Any) -> int:
    """Its server identities with these rows; the version."""
    identity = {key: value for key, value in (CATALOGUE | changes).items() if value is not None}
    entered = await system.done("PUT", "/server-identities", {"server_identity": identity})
    return int(entered["version"])


async def gets(system: System, id_: str, **rows: Any) -> Any:
    """The exchange, once these rows of the server identities are disclosed in it."""

    def there(exchange: Any) -> bool:
        given = exchange["disclosed"]["server_identity"]
        return all(given.get(name) == value for name, value in rows.items())

    return await eventually(lambda: system.exchange(id_), there)


async def grant_is(system: System, id_: str, state: str) -> Any:
    """The exchange, once its grant is so."""
    return await eventually(lambda: system.exchange(id_), lambda exchange: exchange["grant"] == state)


async def revoke(system: System, id_: str, *users: str, account: str = "admin", reason: str = "over") -> Any:
    given = {"reason": reason} | ({"users": users} if users else {})
    return await system.call("POST", f"/requests/{id_}/revocation", given, account=account)


async def told(system: System, event: str) -> list[Any]:
    """To whom notices of this event went."""
    return await system.rows(f"SELECT audience, person FROM notice WHERE event = '{event}'")

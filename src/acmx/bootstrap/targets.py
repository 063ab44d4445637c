"""Whether mail, webhooks, the OpenID provider and the CMS can be reached: each is gone to, all at once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from acmx.bootstrap import people, telling
from acmx.bootstrap.profiles import profiles
from acmx.config import Config
from acmx.delivery.notices.channel import Channel, TargetDown
from acmx.delivery.notices.mail import CHANNEL
from acmx.delivery.notices.webhooks import channel_of
from acmx.delivery.provisioning.cms import Cms
from acmx.domain.acm1 import Finding
from acmx.domain.errors import AcmxError
from acmx.domain.findings import failed, ok
from acmx.provisioning import work
from acmx.provisioning.names import UE_AUID
from acmx.provisioning.xcap import Outcome

WITHIN = 10.0


async def reach(directory: Path, config: Config) -> list[Finding]:
    """One finding for each target; after WITHIN seconds what did not answer has failed."""
    ways: list[tuple[str, Callable[..., Channel]]] = [
        (channel_of(webhook), partial(telling.by_webhook, webhook=webhook)) for webhook in config.webhooks
    ]
    if config.mail.host:
        ways.insert(0, (CHANNEL, telling.by_mail))
    looks = [(name, partial(_reach, partial(way, directory, config))) for name, way in ways]
    if config.oidc.issuer:
        looks.append(("identity provider", partial(_ask_provider, directory, config)))
    if config.xcap.root:
        looks.append(("CMS", partial(_ask_cms, directory, config)))
    return await asyncio.gather(*(_found(name, look) for name, look in looks))


async def _reach(way: Callable[..., Channel]) -> str:
    return await way(clock=lambda: datetime.now(UTC)).reach()


async def _ask_provider(directory: Path, config: Config) -> str:
    provider = people.provider(directory, config)
    keys = await provider.keys() if provider else {}
    if not keys:
        raise TargetDown(f"{config.oidc.issuer} publishes no key that can be used")
    return f"{config.oidc.issuer} publishes {len(keys)} keys"


async def _found(name: str, look: Callable[[], Awaitable[str]]) -> Finding:
    try:
        async with asyncio.timeout(WITHIN):
            return ok(name, await look())
    except TimeoutError:
        return failed(name, f"did not answer within {WITHIN:g} s")
    except (AcmxError, TargetDown) as error:
        return failed(name, str(error))


async def _ask_cms(directory: Path, config: Config) -> str:
    """It is asked what it can, and must know what is to be put there."""
    auids = [names.auid for names in profiles(config.provisioning).values()]
    cms = Cms(directory, config.xcap, timeout=timedelta(seconds=WITHIN))
    try:
        ended = await cms.carry_out(work.capabilities(config.xcap.root, [*auids, UE_AUID]))
    finally:
        await cms.close()
    if isinstance(ended, Outcome) and ended.state != "failed":
        return f"{config.xcap.root} knows {len(auids) + 1} application usages of ours"
    raise TargetDown(ended.detail if isinstance(ended, Outcome) else ended.reason)

"""Whether mail, webhooks and the CMS can be reached: each target is gone to, all at once, and told nothing."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from acmx.bootstrap import telling
from acmx.bootstrap.profiles import profiles
from acmx.config import Config
from acmx.delivery.channel import Channel, TargetDown
from acmx.delivery.cms import Cms
from acmx.delivery.mail import CHANNEL
from acmx.delivery.webhooks import channel_of
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
    told = [_reach(name, partial(way, directory, config)) for name, way in ways]
    return await asyncio.gather(*told, *([_reach_cms(directory, config)] if config.xcap.root else []))


async def _reach(name: str, way: Callable[..., Channel]) -> Finding:
    try:
        async with asyncio.timeout(WITHIN):
            return ok(name, await way(clock=lambda: datetime.now(UTC)).reach())
    except TimeoutError:
        return failed(name, f"did not answer within {WITHIN:g} s")
    except (AcmxError, TargetDown) as error:
        return failed(name, str(error))


async def _reach_cms(directory: Path, config: Config) -> Finding:
    """It is asked what it can, and must know what is to be put there."""
    auids = [names.auid for names in profiles(config.provisioning).values()]
    try:
        cms = Cms(directory, config.xcap, timeout=timedelta(seconds=WITHIN))
        try:
            ended = await cms.carry_out(work.capabilities(config.xcap.root, [*auids, UE_AUID]))
        finally:
            await cms.close()
    except AcmxError as error:
        return failed("CMS", str(error))
    if isinstance(ended, Outcome) and ended.state != "failed":
        return ok("CMS", f"{config.xcap.root} knows {len(auids) + 1} application usages of ours")
    return failed("CMS", ended.detail if isinstance(ended, Outcome) else ended.reason)

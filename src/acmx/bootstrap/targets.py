"""Whether mail and webhooks can be sent: each target is gone to, all at once, and told nothing."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from acmx.bootstrap import telling
from acmx.config import Config
from acmx.delivery.channel import Channel, TargetDown
from acmx.delivery.mail import CHANNEL
from acmx.delivery.webhooks import channel_of
from acmx.domain.acm1 import Finding
from acmx.domain.errors import AcmxError
from acmx.domain.findings import failed, ok

WITHIN = 10.0


async def reach(directory: Path, config: Config) -> list[Finding]:
    """One finding for each target; after WITHIN seconds what did not answer has failed."""
    ways: list[tuple[str, Callable[..., Channel]]] = [
        (channel_of(webhook), partial(telling.by_webhook, webhook=webhook)) for webhook in config.webhooks
    ]
    if config.mail.host:
        ways.insert(0, (CHANNEL, telling.by_mail))
    return await asyncio.gather(*(_reach(name, partial(way, directory, config)) for name, way in ways))


async def _reach(name: str, way: Callable[..., Channel]) -> Finding:
    try:
        async with asyncio.timeout(WITHIN):
            return ok(name, await way(clock=lambda: datetime.now(UTC)).reach())
    except TimeoutError:
        return failed(name, f"did not answer within {WITHIN:g} s")
    except (AcmxError, TargetDown) as error:
        return failed(name, str(error))

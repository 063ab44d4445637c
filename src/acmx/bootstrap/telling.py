"""From the configuration to the channels by which people are told, and who is subscribed to which events."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from acmx.config import Config, Mail, Webhook
from acmx.delivery.notices.channel import Channel
from acmx.delivery.notices.mail import CHANNEL, MailChannel
from acmx.delivery.notices.webhooks import WebhookChannel, channel_of
from acmx.delivery.outward import sockets
from acmx.domain.errors import Misconfigured
from acmx.domain.exchange import Audience
from acmx.domain.moments import Clock
from acmx.domain.telling import ESCALATION, TOLD
from acmx.storage.subscriptions import Subscription

TIMEOUT = timedelta(seconds=30)
SHORTEST_SECRET = 32


def channels(directory: Path, config: Config, clock: Clock) -> list[Channel]:
    """Raises Misconfigured where a secret cannot be read, or is too short to be one."""
    webhooks = [by_webhook(directory, config, webhook, clock) for webhook in config.webhooks]
    return [by_mail(directory, config, clock), *webhooks] if config.mail.host else [*webhooks]


def by_mail(directory: Path, config: Config, clock: Clock) -> Channel:
    """Raises Misconfigured."""
    password = _password(directory, config.mail)
    return MailChannel(config.system, config.mail, password, config.notices.link, clock, timeout=TIMEOUT)


def by_webhook(directory: Path, config: Config, webhook: Webhook, clock: Clock) -> Channel:
    """Raises Misconfigured."""
    secret = _secret(directory / webhook.secret_file)
    if len(secret) < SHORTEST_SECRET:
        raise Misconfigured(f"{webhook.secret_file}: must hold at least {SHORTEST_SECRET} bytes")
    return WebhookChannel(
        config.system,
        webhook,
        secret,
        config.notices.link,
        clock,
        timeout=TIMEOUT,
        make_socket=sockets(allow_local=config.delivery.allow_local),
    )


def secret_files(directory: Path, config: Config) -> list[Path]:
    """Where the password for mail, the secrets of webhooks and the token for the CMS lie."""
    told = [config.mail.password_file, *(webhook.secret_file for webhook in config.webhooks)]
    return [directory / file for file in (*told, config.xcap.token_file) if file]


def subscriptions(config: Config) -> list[Subscription]:
    """One for each audience, event, channel and recipient."""
    found = [subscription for webhook in config.webhooks for subscription in _to_webhook(webhook)]
    if config.mail.host:
        found += _to_mail(config.mail, config.notices.bundle_minutes * 60_000)
        found += _to_operators(config.mail)
        found += [
            Subscription("account-holders", event, CHANNEL, None, 0) for event in TOLD["account-holders"]
        ]
    return found


def _to_webhook(webhook: Webhook) -> Iterator[Subscription]:
    receiver = urlsplit(webhook.url)
    for audience, events in _events(webhook):
        for event in events:
            yield Subscription(
                audience,
                event,
                channel_of(webhook),
                f"{receiver.scheme}://{receiver.netloc.rpartition('@')[2]}",
                0,
            )


def _to_mail(mail: Mail, bundle_ms: int) -> Iterator[Subscription]:
    for audience, events in _events(mail):
        for event in events:
            recipients: tuple[str | None, ...] = (None,)
            if event == ESCALATION:
                recipients = mail.escalation
            elif audience == "reviewers":
                recipients = (None, *mail.reviewers)
            elif audience == "partner-administrators":
                recipients = mail.partner_administrators
            for recipient in recipients:
                yield Subscription(audience, event, CHANNEL, recipient, bundle_ms)


def _to_operators(mail: Mail) -> Iterator[Subscription]:
    for event in TOLD["operators"]:
        for recipient in mail.operators:
            yield Subscription("operators", event, CHANNEL, recipient, 0)


def _events(told: Mail | Webhook) -> tuple[tuple[Audience, tuple[str, ...]], ...]:
    return (
        ("asker", told.asker_events),
        ("reviewers", told.reviewer_events),
        ("partner-administrators", told.partner_events),
    )


def _password(directory: Path, mail: Mail) -> str | None:
    if mail.password_file:
        try:
            return _secret(directory / mail.password_file).decode()
        except UnicodeDecodeError as error:
            raise Misconfigured(f"{mail.password_file}: is not text in UTF-8") from error
    return mail.password or None


def _secret(path: Path) -> bytes:
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from error

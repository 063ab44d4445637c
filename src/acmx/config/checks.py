"""What is wrong with a configuration: every value that breaks a rule."""

import re
from collections.abc import Iterator

import msgspec

from acmx.config.addresses import endpoint, host_of, is_safe_url
from acmx.config.oidc import faults_of_oidc
from acmx.config.sections import (
    Audit,
    Config,
    Delivery,
    Mail,
    Notices,
    Provisioning,
    Requests,
    Retention,
    Webhook,
    Xcap,
)
from acmx.config.surroundings import (
    faults_of_metrics,
    faults_of_plain_http,
    faults_of_proxies,
    faults_of_traces,
)
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.identities import InvalidIdentity, mc_system_id
from acmx.domain.rules import uri
from acmx.domain.telling import TOLD, is_mail_address

LONGEST_DAYS = 3650
LONGEST_SECONDS = 900
_URL = re.compile(r"https://[!-~]+")
_DATABASE = re.compile(r"postgres(ql)?://[!-~]+")
_ELEMENT = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,127}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def faults(config: Config) -> list[Fault]:
    """Every value that breaks a rule."""
    return [
        *_faults_of_identity(config),
        *_faults_of_addresses(config),
        *_faults_of_days(config.requests),
        *_faults_of_notices(config.notices),
        *_faults_of_mail(config),
        *_faults_of_webhooks(config.webhooks),
        *faults_of_oidc(config.oidc),
        *_faults_of_delivery(config.delivery),
        *_faults_of_records(config.audit, config.retention),
        *_faults_of_provisioning(config.provisioning),
        *_faults_of_xcap(config.xcap),
        *faults_of_proxies(config),
        *faults_of_plain_http(config.acm1),
        *faults_of_metrics(config.metrics),
        *faults_of_traces(config.traces),
    ]


def _faults_of_identity(config: Config) -> Iterator[Fault]:
    try:
        mc_system_id(config.system)
    except InvalidIdentity as error:
        yield error.fault("system")
    if not config.name:
        yield Fault("name", "", "must not be empty")
    for field, value in (("name", config.name), ("contact", config.contact)):
        if len(value) > 255 or not value.isprintable():
            yield Fault(field, value[:255], "must be one line of at most 255 characters")
    if config.require_synchronous and not config.database:
        yield Fault("require_synchronous", "true", "is about PostgreSQL: name the database")
    if config.database and not _DATABASE.fullmatch(config.database):
        yield Fault("database", "", "must be a URL that begins with postgresql://, or empty")
    realms = config.realms
    if not (realms.hosts or realms.phone_contexts or realms.tel_prefixes):
        yield Fault("realms", "", "must name a host, a phone context or a prefix: nobody lives here")
    for fault in realms.faults():
        yield msgspec.structs.replace(fault, field=f"realms.{fault.field}")


def _faults_of_addresses(config: Config) -> Iterator[Fault]:
    for field, parse, value in (
        ("acm1.listen", endpoint, config.acm1.listen),
        ("acm2.listen", endpoint, config.acm2.listen),
        ("acm2.address", host_of, config.acm2.address),
    ):
        try:
            parse(value)
        except FaultyInput as error:
            yield msgspec.structs.replace(error.faults[0], field=field)


def _faults_of_days(requests: Requests) -> Iterator[Fault]:
    if not 1 <= requests.longest_expiry_days <= LONGEST_DAYS:
        rule = f"must be from 1 to {LONGEST_DAYS}"
        yield Fault("requests.longest_expiry_days", str(requests.longest_expiry_days), rule)
    elif not 1 <= requests.expiry_days <= requests.longest_expiry_days:
        rule = f"must be from 1 to longest_expiry_days, {requests.longest_expiry_days}"
        yield Fault("requests.expiry_days", str(requests.expiry_days), rule)


def _faults_of_notices(notices: Notices) -> Iterator[Fault]:
    if notices.link and not _URL.fullmatch(notices.link):
        yield Fault("notices.link", notices.link, "must be a URL that begins with https://, or empty")
    if not 0 <= notices.bundle_minutes <= 1440:
        yield Fault("notices.bundle_minutes", str(notices.bundle_minutes), "must be from 0 to 1440")
    longest = LONGEST_DAYS * 24
    for hours in notices.reminder_hours:
        if not 1 <= hours <= longest:
            yield Fault("notices.reminder_hours", str(hours), f"must be from 1 to {longest}")
    if not 0 <= notices.escalation_hours <= longest:
        yield Fault("notices.escalation_hours", str(notices.escalation_hours), f"must be from 0 to {longest}")


def _faults_of_mail(config: Config) -> Iterator[Fault]:
    mail = config.mail
    if not mail.host:
        if config.notices.escalation_hours and not config.webhooks:
            yield Fault("notices.escalation_hours", "", "needs [mail] or [[webhooks]]: nobody would be told")
        return
    if not 1 <= mail.port <= 65535:
        yield Fault("mail.port", str(mail.port), "must be from 1 to 65535")
    if mail.password and mail.password_file:
        yield Fault("mail.password_file", mail.password_file, "must be empty where a password is given")
    if not mail.reviewers:
        yield Fault(
            "mail.reviewers", "", "must name an address: requests to nobody in particular are told there"
        )
    if config.notices.escalation_hours and not mail.escalation:
        yield Fault("mail.escalation", "", "must name an address where notices.escalation_hours is set")
    for field, addresses in (
        ("sender", (mail.sender,)),
        ("reviewers", mail.reviewers),
        ("escalation", mail.escalation),
        ("operators", mail.operators),
        ("partner_administrators", mail.partner_administrators),
    ):
        for address in addresses:
            if not is_mail_address(address):
                yield Fault(f"mail.{field}", address[:255], "must be a mail address")
    yield from _faults_of_events("mail", mail)


def _faults_of_webhooks(webhooks: tuple[Webhook, ...]) -> Iterator[Fault]:
    for n, webhook in enumerate(webhooks):
        at = f"webhooks.{n}"
        if not _NAME.fullmatch(webhook.name) or webhook.name in [other.name for other in webhooks[:n]]:
            yield Fault(
                f"{at}.name", webhook.name[:64], "must be a name of a-z, 0-9, - that no other webhook has"
            )
        plain = webhook.allow_http and webhook.url.startswith("http://")
        if not _URL.fullmatch(webhook.url.replace("http://", "https://", 1) if plain else webhook.url):
            yield Fault(f"{at}.url", "", "must begin with https://, or with http:// where allow_http is true")
        yield from _faults_of_events(at, webhook)


def _faults_of_events(at: str, told: Mail | Webhook) -> Iterator[Fault]:
    for field, events, known in (
        ("asker_events", told.asker_events, TOLD["asker"]),
        ("reviewer_events", told.reviewer_events, TOLD["reviewers"]),
        ("partner_events", told.partner_events, TOLD["partner-administrators"]),
    ):
        for event in events:
            if event not in known:
                yield Fault(f"{at}.{field}", event[:64], f"must be one of {', '.join(known)}")


def _faults_of_delivery(delivery: Delivery) -> Iterator[Fault]:
    for field, value in (
        ("probe_seconds", delivery.probe_seconds),
        ("answer_seconds", delivery.answer_seconds),
    ):
        if not 0.1 <= value <= LONGEST_SECONDS:
            yield Fault(f"delivery.{field}", str(value), f"must be from 0.1 to {LONGEST_SECONDS}")


def _faults_of_records(audit: Audit, retention: Retention) -> Iterator[Fault]:
    if not 1 <= audit.checkpoint_minutes <= 1440:
        yield Fault("audit.checkpoint_minutes", str(audit.checkpoint_minutes), "must be from 1 to 1440")
    if not 1 <= retention.days <= 36_500:
        yield Fault("retention.days", str(retention.days), "must be from 1 to 36500")


def _faults_of_provisioning(provisioning: Provisioning) -> Iterator[Fault]:
    known = ("mcptt", "mcvideo", "mcdata")
    for service in provisioning.services:
        if service not in known:
            yield Fault("provisioning.services", service[:64], f"must be one of {', '.join(known)}")
    for name, names in (("mcptt", provisioning.mcptt), ("mcdata", provisioning.mcdata)):
        for field, element in (("entry", names.entry), ("id", names.id)):
            if element and not _ELEMENT.fullmatch(element):
                yield Fault(
                    f"provisioning.{name}.{field}", element[:64], "must be the name of an XML element"
                )
        if names.namespace and (broken := uri(names.namespace)):
            yield Fault(f"provisioning.{name}.namespace", names.namespace[:64], broken)


def _faults_of_xcap(xcap: Xcap) -> Iterator[Fault]:
    if xcap.root and (not is_safe_url(xcap.root) or "?" in xcap.root):
        yield Fault("xcap.root", xcap.root[:255], "must be a URL that begins with https://, or empty")
    if xcap.token_file and xcap.asserted_identity:
        yield Fault(
            "xcap.asserted_identity", xcap.asserted_identity[:64], "must be empty where a token is given"
        )
    if xcap.asserted_identity and (broken := uri(xcap.asserted_identity)):
        yield Fault("xcap.asserted_identity", xcap.asserted_identity[:64], broken)
    if not 1 <= xcap.at_a_time <= 64:
        yield Fault("xcap.at_a_time", str(xcap.at_a_time), "must be from 1 to 64")
    if not 0 <= xcap.profile_index <= 255:
        yield Fault("xcap.profile_index", str(xcap.profile_index), "must be from 0 to 255")

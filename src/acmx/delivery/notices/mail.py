"""Mail: one message for a recipient over everything that waits for it.

A mail carries exchange ids, partners, events and times: no purpose, no user, no name; and a link to the log-on that
decides nothing. The address comes from the configuration or an account and is one line of ASCII without spaces.
"""

import asyncio
import ssl
from contextlib import suppress
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY

import aiosmtplib
from aiosmtplib import SMTP

from acmx.config import Mail
from acmx.delivery.notices.channel import NeverTaken, NotTaken, TargetDown
from acmx.domain.moments import Clock, from_ms
from acmx.domain.telling import ESCALATION, IN_WORDS, REMINDER
from acmx.storage.deliveries import Item, Parcel

CHANNEL = "mail"
ENDS_MATTER = ("request", REMINDER, ESCALATION)
FOOT = (
    "This mail decides nothing, and neither does a link in it: log on to the ACM server to see and to decide."
)


class MailChannel:
    """Hands mail to one SMTP server, a connection for each."""

    name = CHANNEL
    most = 100

    def __init__(
        self, system: str, mail: Mail, password: str | None, link: str, clock: Clock, *, timeout: timedelta
    ) -> None:
        self._system = system
        self._mail = mail
        self._password = password
        self._link = link
        self._clock = clock
        self._timeout = timeout

    async def deliver(self, parcel: Parcel) -> None:
        """As `Channel.deliver`. A server that took the mail and then broke off before it said so gets it again."""
        smtp = self._smtp()
        try:
            message = written(parcel, self._system, self._mail.sender, self._link)
            message["Date"] = self._clock()
            await self._log_on(smtp)
            await smtp.sendmail(self._mail.sender, [parcel.recipient], bytes(message))
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refused(error.recipients[0]) from error
        except aiosmtplib.SMTPDataError as error:
            raise _refused(error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise TargetDown(_reason(error)) from error
        except ValueError as error:
            raise NeverTaken(_reason(error)) from error
        else:
            with suppress(aiosmtplib.SMTPException, OSError):
                await smtp.quit()
        finally:
            smtp.close()

    async def reach(self) -> str:
        """As `Channel.reach`: as far as the log-on."""
        smtp = self._smtp()
        try:
            await self._log_on(smtp)
            await smtp.ehlo()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise TargetDown(_reason(error)) from error
        finally:
            if isinstance(smtp.transport, asyncio.Transport):
                smtp.transport.abort()
            smtp.close()
        how = {"none": "without TLS", "starttls": "by STARTTLS", "tls": "by TLS"}[self._mail.tls]
        who = f", logs on as {self._mail.user}" if self._mail.user else ""
        return f"{self._mail.host}:{self._mail.port} {how}{who}"

    async def _log_on(self, smtp: SMTP) -> None:
        await smtp.connect()
        if self._mail.user:
            await smtp.login(self._mail.user, self._password or "")

    def _smtp(self) -> SMTP:
        return SMTP(
            hostname=self._mail.host,
            port=self._mail.port,
            use_tls=self._mail.tls == "tls",
            start_tls=self._mail.tls == "starttls",
            tls_context=None if self._mail.tls == "none" else ssl.create_default_context(),
            local_hostname=self._system,
            timeout=self._timeout.total_seconds(),
        )


def written(parcel: Parcel, system: str, sender: str, link: str) -> EmailMessage:
    """The mail but for its date; the same parcel gives the same."""
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"] = sender
    message["To"] = parcel.recipient
    message["Subject"] = _subject(parcel.items, system)
    message["Message-ID"] = f"<{parcel.id}@{system}>"
    message["Auto-Submitted"] = "auto-generated"
    where = f"Log on: {link}\n" if link else ""
    told = "\n".join(_paragraph(item) for item in parcel.items)
    message.set_content(f"The ACM server of {system} reports:\n\n{told}\n{where}{FOOT}\n")
    return message


def _subject(items: list[Item], system: str) -> str:
    urgent = "URGENT " if any(item.urgency == "urgent" for item in items) else ""
    what = IN_WORDS.get(items[0].event, items[0].event) if len(items) == 1 else f"{len(items)} notices"
    return f"{urgent}ACM {system}: {what}"


def _paragraph(item: Item) -> str:
    if item.audience in ("operators", "account-holders"):
        return f"* {IN_WORDS[item.event]}\n  {item.id}\n"
    lines = [
        f"* {IN_WORDS.get(item.event, item.event)}{' (urgent)' if item.urgency == 'urgent' else ''}",
        *([f"  exchange  {item.id}"] if item.id else []),
        f"  partner   {item.partner}",
        f"  at        {_time(item.at)}",
    ]
    if item.event in ENDS_MATTER and item.expires_at is not None:
        lines.append(f"  expires   {_time(item.expires_at)}")
    return "\n".join([*lines, ""])


def _time(milliseconds: int) -> str:
    return f"{from_ms(milliseconds):%Y-%m-%d %H:%M} UTC"


def _refused(error: aiosmtplib.SMTPResponseException) -> NotTaken | NeverTaken:
    kind = NeverTaken if error.code >= 500 else NotTaken
    return kind(_reason(error))


def _reason(error: Exception) -> str:
    """What the server said, on one line."""
    return " ".join(f"{type(error).__name__} {error}".split())[:200]

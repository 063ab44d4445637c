"""The settings of an ACM server, as they stand in `config.toml`."""

from typing import Literal

from msgspec import Struct

from acmx.domain.identities import Realms
from acmx.domain.telling import BY_DEFAULT


class Acm1(Struct, frozen=True, forbid_unknown_fields=True):
    """The listener for ACM clients: HOST:PORT, port 0 for any free one."""

    listen: str = "127.0.0.1:8441"


class Acm2(Struct, frozen=True, forbid_unknown_fields=True):
    """The listener for partner systems, and the URL at which they reach it."""

    listen: str = "127.0.0.1:8442"
    address: str = "https://127.0.0.1:8442"


class Requests(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a request may wait, in days."""

    expiry_days: int = 30
    longest_expiry_days: int = 366


class Notices(Struct, frozen=True, forbid_unknown_fields=True):
    """When people are told, and the page to log on that is named to them."""

    link: str = ""
    bundle_minutes: int = 15
    reminder_hours: tuple[int, ...] = (72, 24)
    escalation_hours: int = 0


class Mail(Struct, frozen=True, forbid_unknown_fields=True):
    """The SMTP server, and who is written to of which events; an empty `host` means no mail.

    The password comes from the environment (ACMX_MAIL_PASSWORD) or from a file. Askers and addressees are written to at
    the addresses of their accounts, reviewers at `reviewers` too, an escalation goes to `escalation` alone.
    """

    host: str = ""
    port: int = 587
    tls: Literal["none", "starttls", "tls"] = "starttls"
    user: str = ""
    password: str = ""
    password_file: str = ""
    sender: str = ""
    reviewers: tuple[str, ...] = ()
    escalation: tuple[str, ...] = ()
    asker_events: tuple[str, ...] = BY_DEFAULT["asker"]
    reviewer_events: tuple[str, ...] = BY_DEFAULT["reviewers"]


class Webhook(Struct, frozen=True, forbid_unknown_fields=True):
    """A receiver of signed notices. `secret_file` holds at least 32 bytes."""

    name: str
    url: str
    secret_file: str
    allow_http: bool = False
    asker_events: tuple[str, ...] = BY_DEFAULT["asker"]
    reviewer_events: tuple[str, ...] = BY_DEFAULT["reviewers"]


class Delivery(Struct, frozen=True, forbid_unknown_fields=True):
    """How partners are reached, in seconds."""

    probe_seconds: float = 30.0
    answer_seconds: float = 30.0


class ProfileNames(Struct, frozen=True, forbid_unknown_fields=True):
    """What the standard does not settle in the profile of an MC service; empty: as in MCVideo, by analogy."""

    namespace: str = ""
    entry: str = ""
    id: str = ""


class Provisioning(Struct, frozen=True, forbid_unknown_fields=True):
    """The MC services whose user profiles get entries for partner MC systems."""

    services: tuple[str, ...] = ("mcptt", "mcvideo", "mcdata")
    mcptt: ProfileNames = ProfileNames()
    mcdata: ProfileNames = ProfileNames()


class Xcap(Struct, frozen=True, forbid_unknown_fields=True):
    """The own CMS, where documents are put by XCAP; without a `root` they are not.

    Who asks is known there by the bearer token in `token_file`, or by `asserted_identity`. `ca_file` (PEM) is trusted
    in place of the system's authorities, `at_a_time` counts documents, `profile_index` is that of the user profiles.
    """

    root: str = ""
    token_file: str = ""
    asserted_identity: str = ""
    ca_file: str = ""
    at_a_time: int = 8
    profile_index: int = 0


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an ACM server must know before it starts."""

    system: str
    name: str
    contact: str = ""
    acm1: Acm1 = Acm1()
    acm2: Acm2 = Acm2()
    realms: Realms
    requests: Requests = Requests()
    notices: Notices = Notices()
    mail: Mail = Mail()
    webhooks: tuple[Webhook, ...] = ()
    delivery: Delivery = Delivery()
    provisioning: Provisioning = Provisioning()
    xcap: Xcap = Xcap()

"""The settings of an ACM server, as they stand in `config.toml`."""

from typing import Literal

from msgspec import Struct

from acmx.domain.identities import Realms
from acmx.domain.telling import BY_DEFAULT


class Acm1(Struct, frozen=True, forbid_unknown_fields=True):
    """The listener for ACM clients: HOST:PORT, port 0 for any free one.

    `proxies`: the IP addresses that alone connect, on behalf of others, whom they name by the PROXY protocol.
    `tls` may be false behind a proxy on the same machine.
    """

    listen: str = "127.0.0.1:8441"
    proxies: tuple[str, ...] = ()
    tls: bool = True


class Acm2(Struct, frozen=True, forbid_unknown_fields=True):
    """The listener for partner systems, and the URL at which they reach it. `proxies` as for ACM-1."""

    listen: str = "127.0.0.1:8442"
    address: str = "https://127.0.0.1:8442"
    proxies: tuple[str, ...] = ()


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
    the addresses of their accounts, reviewers at `reviewers` too, an escalation goes to `escalation` alone; what ends
    soon, and what partners have changed, to `operators`; what partners say of the partnership to
    `partner_administrators`.
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
    operators: tuple[str, ...] = ()
    partner_administrators: tuple[str, ...] = ()
    asker_events: tuple[str, ...] = BY_DEFAULT["asker"]
    reviewer_events: tuple[str, ...] = BY_DEFAULT["reviewers"]
    partner_events: tuple[str, ...] = BY_DEFAULT["partner-administrators"]


class Webhook(Struct, frozen=True, forbid_unknown_fields=True):
    """A receiver of signed notices. `secret_file` holds at least 32 bytes."""

    name: str
    url: str
    secret_file: str
    allow_http: bool = False
    asker_events: tuple[str, ...] = BY_DEFAULT["asker"]
    reviewer_events: tuple[str, ...] = BY_DEFAULT["reviewers"]
    partner_events: tuple[str, ...] = BY_DEFAULT["partner-administrators"]


class Oidc(Struct, frozen=True, forbid_unknown_fields=True):
    """The OpenID provider whose access tokens are taken on ACM-1; an empty `issuer` means local accounts alone.

    `roles` gives the role of acmx for a value of `role_claim`. `client_id`, `resource`, `acr_values` and
    `offline_access` are what `acmx login` is told. `ca_file` (PEM): the one certification authority that is taken.
    """

    issuer: str = ""
    audience: str = ""
    scope: str = ""
    client_id: str = ""
    resource: str = ""
    acr_values: str = ""
    offline_access: bool = False
    mc_service_id_claims: tuple[str, ...] = ("mcptt_id", "mcvideo_id", "mcdata_id")
    role_claim: str = "roles"
    roles: dict[str, str] = {}
    automatic_clients: tuple[str, ...] = ()
    ca_file: str = ""


class Delivery(Struct, frozen=True, forbid_unknown_fields=True):
    """How partners are reached, in seconds; and whether they and webhooks may be on this machine or its own link."""

    probe_seconds: float = 30.0
    answer_seconds: float = 30.0
    allow_local: bool = False


class Audit(Struct, frozen=True, forbid_unknown_fields=True):
    """The sealed journal: how often a checkpoint is kept, and the directory it is written to; empty for none."""

    checkpoint_minutes: int = 60
    checkpoint_directory: str = ""


class Retention(Struct, frozen=True, forbid_unknown_fields=True):
    """How many days after the end of an exchange `acmx purge` removes its bodies."""

    days: int = 730


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


class Metrics(Struct, frozen=True, forbid_unknown_fields=True):
    """Where Prometheus reads how the server is, by plain HTTP: HOST:PORT on loopback; empty: nowhere."""

    listen: str = ""


class Traces(Struct, frozen=True, forbid_unknown_fields=True):
    """The URL to which traces are sent (OTLP over HTTP), as /v1/traces of a collector; empty: there are none."""

    endpoint: str = ""


class Log(Struct, frozen=True, forbid_unknown_fields=True):
    """How the log is written; `auto` is `console` on a terminal and `json` elsewhere."""

    format: Literal["auto", "json", "console"] = "auto"


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an ACM server must know before it starts. `database`: postgresql://..., empty for a file of its own.

    `require_synchronous`: acknowledge nothing that no synchronous standby of PostgreSQL has shown to have.
    """

    system: str
    name: str
    contact: str = ""
    database: str = ""
    require_synchronous: bool = False
    acm1: Acm1 = Acm1()
    acm2: Acm2 = Acm2()
    realms: Realms
    requests: Requests = Requests()
    notices: Notices = Notices()
    mail: Mail = Mail()
    webhooks: tuple[Webhook, ...] = ()
    oidc: Oidc = Oidc()
    delivery: Delivery = Delivery()
    audit: Audit = Audit()
    retention: Retention = Retention()
    provisioning: Provisioning = Provisioning()
    xcap: Xcap = Xcap()
    metrics: Metrics = Metrics()
    traces: Traces = Traces()
    log: Log = Log()

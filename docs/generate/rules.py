"""The tables and diagrams of the pages that are made from the tables of the code."""

from acmx.domain import errors
from acmx.domain.errors import AcmxError
from acmx.domain.exchange import TABLE, Event, Role, Transition
from acmx.domain.server_identity import ROWS
from acmx.domain.steps import STEPS
from acmx.faces.acm1.routes import ROUTES
from acmx.kinds.policy_facts import every as every_fact
from acmx.trust.roles import MEANINGS, ROLES

PARTY = {
    "ACM client A": "A-client",
    "ACM server A": "A-server",
    "ACM server B": "B-server",
    "ACM client B": "B-client",
}

ON_THE_WIRE: dict[Event, str] = {
    Event.SUBMITTED: "A sends request n = 1, until it has a signed answer",
    Event.NOT_AUTHORISED: "nothing is sent",
    Event.HELD: "nothing is sent: people of A have to release the request first",
    Event.RELEASE_APPROVED: "nothing: one of several people of A releases the request",
    Event.RELEASED: "A sends request n = 1, as it was minted, until it has a signed answer",
    Event.NOT_RELEASED: "nothing is sent: a person of A refuses",
    Event.INDICATED: "B's receipt `stored` of the request has come",
    Event.REFUSED_BY_PARTNER: "B's final refusal of the request has come; it is not `withdrawn`",
    Event.WITHDRAWN_UNSENT: "nothing was ever sent, nothing is",
    Event.WITHDRAWAL_ASKED: "A sends the withdrawal, next n; the request is not sent any more",
    Event.WITHDRAWAL_CONFIRMED: "B's receipt `withdrawn` of the withdrawal, or its final refusal `withdrawn`, has come",
    Event.WITHDRAWAL_TOO_LATE: "B's receipt `decided` of the withdrawal has come; the response comes by itself",
    Event.QUESTION: "B's question has come; A answers with the receipt `stored`",
    Event.ANSWER_SENT: "A sends the answer to B's last question, next n",
    Event.EARLIER_ANSWER_SENT: "A sends the answer to another question of B, next n",
    Event.RESPONSE: "B's response has come; A answers with the receipt `stored`",
    Event.RETRIEVED: "nothing",
    Event.UPDATE: "B's update has come; A answers with the receipt `stored`",
    Event.REVOCATION: "B's revocation has come; A answers with the receipt `stored`",
    Event.REQUEST: "A's request has come; B answers with the receipt `stored`",
    Event.WITHDRAWAL: "A's withdrawal has come; B answers `withdrawn`, or `decided` where the outcome stands",
    Event.QUESTION_ASKED: "B sends the question, its next n",
    Event.ANSWER: "A's answer to B's last question has come; B answers with the receipt `stored`",
    Event.EARLIER_ANSWER: "A's answer to another question of B has come; B answers with the receipt `stored`",
    Event.REVIEW_STORED: "nothing: one of several people of B has reviewed",
    Event.REVIEWED: "B sends the response, its next n, until it has a signed answer",
    Event.DECIDED_BY_RULE: "the same; committed together with the request",
    Event.RESPONSE_DELIVERED: "A's receipt `stored` of the response has come",
    Event.RESPONSE_REFUSED: "A's final refusal of the response has come; people have to look",
    Event.UPDATE_SENT: "B sends the update, its next n; one that never left makes room for it",
    Event.REVOKED: "B sends the revocation, its next n",
    Event.UPDATE_REFUSED: "A's final refusal of an update or revocation has come; people have to look",
    Event.EXPIRED: "B: the response with outcome `expired` is sent; A: nothing",
    Event.GRANT_ENDED: "nothing: both sides know `valid_until`",
    Event.UNDELIVERABLE: "nothing any more: what waits here has been sent in vain until 90 days after `expires_at`",
    Event.RESTORED: "a message lost here came back from the other side, or one that lost its place is minted anew",
    Event.RECONCILED: "an earlier response stands now (docs/protocol/comparison.md); "
    "B sends it until it has a signed answer",
    Event.CONTRADICTED: "another body claims the place of one that stands (docs/protocol/comparison.md); "
    "people see both",
    Event.WITHDRAWAL_STANDS: "the other side holds the exchange for withdrawn, and no message will say so "
    "(docs/protocol/comparison.md)",
}

SIGNED: dict[type[AcmxError], tuple[str, str]] = {
    errors.InvalidMessage: (
        (
            "not the JSON it has to be; against the path or a rule of docs/protocol/messages.md; "
            "an unknown `critical` member"
        ),
        "gives up, shows the faults",
    ),
    errors.UnsupportedVersion: ("another major version", "gives up"),
    errors.UnsupportedKind: ("the receiver does not exchange this kind", "gives up"),
    errors.ForeignUser: ("a user outside the realms that the receiver has pinned for the sender", "gives up"),
    errors.TooManyUsers: (
        "more users than the receiver's terms for this partner admit in one request",
        "gives up; people ask for fewer at once",
    ),
    errors.Withdrawn: ("a request that arrives after its own withdrawal", "takes it as confirmation"),
    errors.WrongPartner: ("the primary in the path is neither of the two systems", "gives up"),
    errors.UnknownExchange: (
        "a message, but a request or withdrawal, of an exchange that is not known as the sender's (a restored backup?)",
        "sends again",
    ),
    errors.OutOfOrder: (
        "the message `n` - 1 was neither taken nor finally refused; an update or revocation without the response",
        "sends the earlier one, then again",
    ),
    errors.PlaceTaken: (
        "another body stands at this place; `held` is its digest",
        "sends again; both sides compare (docs/protocol/comparison.md)",
    ),
    errors.Contradiction: (
        (
            "a response or question to an exchange that was withdrawn, refused or answered before; "
            "an answer to no question"
        ),
        "sends again; both sides compare (docs/protocol/comparison.md)",
    ),
    errors.NotEstablished: (
        "one of the two has not accepted, has suspended or has removed the partnership",
        "states the partnership anew, sends again once it is established",
    ),
    errors.LimitReached: (
        "too many of the sender's requests wait for a decision, or too many came within the hour; `Retry-After`",
        "sends again, after the time asked for",
    ),
    errors.BadSignature: (
        "absent or unreadable; its key not pinned, revoked or past its end; made for something else",
        "sends again, signed anew",
    ),
    errors.ClockAhead: ("`iat` is more than 300 s ahead of the receiver's clock", "sends again, signed anew"),
    errors.TemporarilyUnavailable: ("nothing can be stored at the moment", "sends again"),
}
"""What a message can be refused for, by a signed refusal: when, and what its sender does."""

UNSIGNED: dict[type[AcmxError], str] = {
    errors.BadCertificate: "the certificate is no longer (or not yet) pinned, though the handshake let it pass",
    errors.AssertedIdentity: "the request carries `X-3GPP-Asserted-Identity`",
    errors.NotFound: "the path is not served, or names no place (docs/protocol/transport.md)",
    errors.WrongMethod: "the path is not served with this method",
    errors.TooLarge: "the body is larger than 8 MiB, or `Content-Length` is no number",
    errors.TooMuchAtOnce: "too many bytes of this partner's bodies are on their way",
    errors.BadSignature: "on `/partnership` only",
    errors.ClockAhead: "on `/partnership` only",
    errors.InvalidMessage: "on `/partnership` and `/exchanges` only; not final, whatever its type says elsewhere",
    errors.TemporarilyUnavailable: "on `/partnership` only",
    AcmxError: "an internal fault",
}
"""Problem documents of ACM-2 without a signature: they are no answer, the link counts as down."""

TO_CLIENTS: dict[type[AcmxError], str] = {
    errors.FaultyInput: "a member is malformed, unknown, missing or breaks a rule; `faults` names each, "
    "at most 100, `faults_total` how many there are",
    errors.NoIdentity: "no `Authorization: Bearer`",
    errors.NotAuthenticated: "the token is unknown, has ended or its account is disabled; a token of the OpenID "
    "provider is not one, or not for this server, or names nobody of this system",
    errors.InsufficientScope: "a token of the OpenID provider without the `scope` named",
    errors.TooManyAttempts: "log-on or change of a password after too many failures: `retry_after` seconds, also in "
    "`Retry-After`",
    errors.TooMuchAtOnce: "too many log-ons wait, or too many bytes of this caller's bodies are on their way; "
    "`retry_after` seconds, also in `Retry-After`",
    errors.LogOnRefused: "at log-on: account or password is wrong, or the account is disabled",
    errors.NotAllowed: "step 2, or no right; `rule` says which: `role:PERMISSION`, `own-users`, `own-requests`, "
    "`own-request`, `people`, `approvers`, `partner-kinds`, `partner-askers` (the terms for the partner), `policy` "
    "(it withholds), `mc-service-id` (it is another account's, or several have it), `two-operators`; at "
    "step 2 `exchange` is the id under which the refusal is kept",
    errors.AssertedIdentity: "the request carries `X-3GPP-Asserted-Identity`",
    errors.NotFound: "there is nothing under this name that the caller may see; the path is not served",
    errors.WrongMethod: "the path is not served with this method; `Allow` names those that are",
    errors.TooLarge: "the body is larger than 8 MiB",
    errors.KeyReused: "the `Idempotency-Key` was used with another body",
    errors.UnsupportedKind: "the kind is not exchanged here, or not by this partner",
    errors.NotEstablished: "the partnership with this partner is not established",
    errors.NotYet: "retrieval before there is an answer",
    errors.NotNow: "the state does not admit this; `state` says which",
    errors.OutcomeStands: "review of an exchange that is decided or withdrawn: `outcome`, `decided_by`, `rule`, "
    "`reason`, `state` tell what stands",
    errors.ReviewStands: "review: the same person has said otherwise, and nothing is decided yet; `seen` is what that "
    "was said for, `reason` why",
    errors.IdentityTaken: "an account is added, enabled or chosen whose MC service ID another one has, or several",
    errors.ChangeWaits: "something was asked for this account and waits for a second operator: `waiting` is its id",
    errors.NotAsCompared: "acceptance: other keys are pinned, or another file (`seen`), than was compared",
    errors.VersionsDiffer: "review: the exchange or the server identity information has changed; `seen` is what "
    "stands; server identity information or policy: `replaces` names another version than `current`",
    errors.Incomplete: "server identity information that lacks required rows and is not marked so, or none at all",
    errors.NotProvisionable: "documents: what no document can be made without is missing; `faults` names all of it",
    errors.InvalidDocument: "documents: a value breaks a rule of TS 24.484 clause 7.2; `faults` names line and element",
    errors.BadSignature: "`POST /partners`: the file is not signed by a key in it",
    errors.ClockAhead: "`POST /partners`: the file was signed in the future",
    errors.TemporarilyUnavailable: "nothing can be stored at the moment; the same call may be made again",
    errors.IdentityProviderUnavailable: "the OpenID provider's keys cannot be had; the same call may be made again",
    AcmxError: "an internal fault",
}
"""Problem documents of ACM-1."""

CARRIED: dict[int, str] = {
    1: "`POST /acm1/v1/requests`",
    2: "inside: role `submit`, users of own realms; refusal: 403 `not-allowed`, nothing is sent",
    3: "ACM-2 request",
    4: "inside: committed before step 5",
    5: "receipt `stored` of the request",
    6: "inside: Cedar policy (docs/policy.md#facts); automatic: on to 13",
    7: "`POST /acm1/v1/sessions`",
    8: "`GET /acm1/v1/notifications`: `look-again`",
    9: "`GET /acm1/v1/pending`",
    10: "its `to_decide`, and `GET /acm1/v1/requests/{id}`",
    11: "a person",
    12: "`POST /acm1/v1/requests/{id}/review`",
    13: "ACM-2 response",
    14: "inside: committed before the receipt `stored` of the response",
    15: "`POST /acm1/v1/sessions`",
    16: "`GET /acm1/v1/notifications`: `look-again`",
    17: "`GET /acm1/v1/pending`",
    18: "its `to_fetch`, and `POST /acm1/v1/requests/{id}/retrieval`",
}


_HTTPS, _PSI = "https URL", "SIP URI of a server"
_ANY = "`sip:`, `sips:` or `https:` URI"
_SERVER = f"object: `uri` ({_ANY}), `ipv6_required` (true or false)"
_PLMN = (
    "object: `plmn` (5 or 6 digits), `con_refs` (`services`, `common_core`, `identity`: APN or DNN), optional \
`slices` (`mcptt`, `mcdata`, `mcvideo`, `common_core`, `idm`: S-NSSAI)"
)
CATALOGUE: dict[str, tuple[str, str]] = {
    "mc_system_id": ("DNS name or URI", "the MC system"),
    "mc_system_name": ("object: `text`, `lang` (RFC 5646)", "its name for people"),
    "idms_auth_endpoint": (_HTTPS, "identity management server, authorization endpoint"),
    "idms_token_endpoint": (_HTTPS, "identity management server, token endpoint"),
    "idm_client_id": ("text", "client id that a UE uses there"),
    "http_proxy": (_HTTPS, "HTTP proxy"),
    "gms": (_HTTPS, "group management server"),
    "gms_uri": (_PSI, "group management server, PSI"),
    "gms_xcap_root": (f"{_HTTPS} without query", "XCAP root of the group documents"),
    "group_creation_xui": ("MC service ID", "XUI for group creation"),
    "cms": (_HTTPS, "configuration management server"),
    "cms_xcap_root": (f"{_HTTPS} without query", "XCAP root of the configuration documents"),
    "kms": (_HTTPS, "key management server"),
    "lms": (_ANY, "location management server"),
    "mcptt_server": (_SERVER, "MCPTT server; only if the service is granted"),
    "mcvideo_server": (_SERVER, "MCVideo server; only if the service is granted"),
    "mcdata_server": (_SERVER, "MCData server; only if the service is granted"),
    "common_core_server": (_SERVER, "common services core"),
    "idm_server": (_SERVER, "identity management server"),
    "tls_tunnel_auth": ("object: `mutual` (true or false)", "how UE and HTTP proxy authenticate"),
    "hplmn": (_PLMN, "home network"),
    "vplmns": ("list of objects like `hplmn`", "visited networks; each `plmn` once, `hplmn` included"),
    "snssai": ("list of objects: `snssai`, optional `nssaa_server`", "5G slices"),
    "default_user": ("object: `id` (MC service ID), `index` (0 to 255)", "profile before log-in"),
    "acm_server": (_ANY, "ACM server"),
    "mc_gateway": (_ANY, "MC gateway server"),
    "recording_server": (_ANY, "recording server"),
    "migration_management_server": (_ANY, "migration management server"),
    "functional_alias_server": (_ANY, "functional alias server"),
}
"""The rows of the server identity information: form and meaning."""


def transitions(role: Role) -> str:
    """One row for each event, target and audience, with every state that it may come from."""
    grouped: dict[tuple[str, ...], list[Transition]] = {}
    for row in TABLE:
        if row.role == role:
            target = "(stays)" if row.source == row.target else f"`{row.target}`"
            grouped.setdefault((row.event, target, *row.tells), []).append(row)
    lines = ["| in state | event | next state | on ACM-2 | steps | told |", "|---|---|---|---|---|---|"]
    for (event, target, *tells), rows in grouped.items():
        sources = ", ".join(f"`{row.source}`" if row.source else "(new)" for row in rows)
        steps = ", ".join(map(str, rows[0].steps))
        wire = ON_THE_WIRE[Event(event)]
        lines.append(f"| {sources} | {event} | {target} | {wire} | {steps} | {', '.join(tells)} |")
    return "\n".join(lines)


def diagram(role: Role) -> str:
    """Every change of state; what leaves the state as it is stands in the table only."""
    edges: dict[tuple[str, str], list[str]] = {}
    for row in TABLE:
        if row.role == role and row.source != row.target:
            edges.setdefault((row.source or "[*]", row.target), []).append(row.event)
    lines = [f"  {source} --> {target}: {' / '.join(events)}" for (source, target), events in edges.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def signed_errors() -> str:
    lines = ["| type | status | final | when | the sender |", "|---|---|---|---|---|"]
    for error, (when, does) in SIGNED.items():
        final = "**final**" if error.final else "no"
        lines.append(f"| `{error.type}` | {error.status} | {final} | {when} | {does} |")
    return "\n".join(lines)


def unsigned_errors() -> str:
    return _problems(UNSIGNED)


def client_errors() -> str:
    return _problems(TO_CLIENTS)


def _problems(listed: dict[type[AcmxError], str]) -> str:
    lines = ["| type | status | when |", "|---|---|---|"]
    lines += [f"| `{error.type}` | {error.status} | {when} |" for error, when in listed.items()]
    return "\n".join(lines)


def routes() -> str:
    lines = ["| method | path | what it does | permission | takes | gives |", "|---|---|---|---|---|---|"]
    for row in ROUTES:
        permission = f"`{row.permission}`" if row.permission else "(step 2)"
        takes = row.takes.__name__ if row.takes else ""
        told = f"{row.summary} | {permission} | {takes} | {row.gives.__name__}"
        lines.append(f"| {row.method} | `{row.path}` | {told} |")
    return "\n".join(lines)


def roles() -> str:
    lines = [f"| permission | may | {' | '.join(ROLES)} |", "|---" * (len(ROLES) + 2) + "|"]
    for permission, meaning in MEANINGS.items():
        marks = ("yes" if permission in granted else "" for granted in ROLES.values())
        lines.append(f"| `{permission}` | {meaning} | {' | '.join(marks)} |")
    return "\n".join(lines)


def steps() -> str:
    lines = ["| step | from | to | what | carried by |", "|---|---|---|---|---|"]
    for step in STEPS:
        target = "itself" if step.source == step.target else PARTY[step.target]
        lines.append(f"| {step.n} | {PARTY[step.source]} | {target} | {step.text} | {CARRIED[step.n]} |")
    return "\n".join(lines)


def catalogue_rows() -> str:
    lines = ["| row | need | form | meaning |", "|---|---|---|---|"]
    for name, row in ROWS.items():
        needed = "required" if row.must and row.source == "B" else "optional"
        form, meaning = CATALOGUE[name]
        lines.append(f"| `{name}` | {needed} | {form} | {meaning} |")
    return "\n".join(lines)


def policy_facts() -> str:
    lines = ["| fact | type | unit | meaning | from | example |", "|---|---|---|---|---|---|"]
    for fact in every_fact():
        may = "; may be absent" if fact.optional else ""
        only = f"; only of {', '.join(f'`{kind}`' for kind in fact.kinds)}" if fact.kinds else ""
        told = f"{fact.unit} | {fact.meaning}{only} | {fact.source} | `{fact.shown}`"
        lines.append(f"| `{fact.name}` | `{fact.type}`{may} | {told} |")
    return "\n".join(lines)

"""Who may do what, as people agreed it: the table that the tests of authorisation hold the code against.

A new route of ACM-1 or ACM-2, a new page of the console, or a new command, needs a row here.
"""

EVERYBODY = ("requester", "reviewer", "partner-administrator", "identity-editor", "auditor", "operator")
REQUESTER = ("requester",)
ASKERS = ("requester", "identity-editor")
REVIEWER = ("reviewer",)
AUDITORS = ("auditor", "operator")
LINKS = ("partner-administrator", "operator")
PARTNERS = ("partner-administrator",)
READS_RULES = ("reviewer", "partner-administrator", "auditor")
READS_IDENTITIES = ("reviewer", "identity-editor", "auditor")
OPERATOR = ("operator",)
PROVISIONS = ("requester", "identity-editor")

ACM1: dict[str, tuple[str, ...]] = {
    "POST /requests": REQUESTER,
    "GET /requests": EVERYBODY,
    "GET /requests/{id}": EVERYBODY,
    "POST /requests/{id}/withdrawal": ASKERS,
    "POST /requests/{id}/retrieval": ASKERS,
    "POST /requests/{id}/review": REVIEWER,
    "POST /requests/{id}/revocation": REVIEWER,
    "POST /requests/{id}/questions": REVIEWER,
    "POST /requests/{id}/answers": ASKERS,
    "GET /pending": EVERYBODY,
    "GET /partners": EVERYBODY,
    "GET /partners/{id}": EVERYBODY,
    "POST /partners": PARTNERS,
    "POST /partners/{id}/acceptance": PARTNERS,
    "POST /partners/{id}/suspension": PARTNERS,
    "POST /partners/{id}/resumption": PARTNERS,
    "POST /partners/{id}/comparison": PARTNERS,
    "POST /partners/{id}/check": LINKS,
    "POST /partners/{id}/removal": PARTNERS,
    "PUT /partners/{id}/terms": PARTNERS,
    "PUT /partners/{id}/approvals": PARTNERS,
    "GET /partners/{id}/change": EVERYBODY,
    "POST /partners/{id}/change/confirmation": PARTNERS,
    "GET /partner-file": EVERYBODY,
    "GET /server-identities": READS_IDENTITIES,
    "GET /server-identities/holders": READS_IDENTITIES,
    "GET /server-identities/{version}": READS_IDENTITIES,
    "PUT /server-identities": ("identity-editor",),
    "GET /requests/{id}/documents": EVERYBODY,
    "POST /requests/{id}/provisionings": PROVISIONS,
    "GET /requests/{id}/provisionings": PROVISIONS,
    "GET /provisionings/{id}": PROVISIONS,
    "GET /provisionings/{id}/rows": PROVISIONS,
    "POST /provisionings/{id}/cancellation": PROVISIONS,
    "GET /partners/{id}/template": READS_IDENTITIES,
    "PUT /partners/{id}/template": ("identity-editor",),
    "GET /policy": READS_RULES,
    "PUT /policy": PARTNERS,
    "POST /policy/check": READS_RULES,
    "POST /policy/trial": READS_RULES,
    "GET /requests/{id}/explanation": EVERYBODY,
    "GET /roles": EVERYBODY,
    "GET /accounts": OPERATOR,
    "POST /accounts": OPERATOR,
    "PATCH /accounts/{name}": OPERATOR,
    "POST /accounts/{name}/disablement": OPERATOR,
    "POST /accounts/{name}/enablement": OPERATOR,
    "POST /accounts/{name}/choice": OPERATOR,
    "POST /accounts/{name}/unlocking": OPERATOR,
    "GET /account-changes": OPERATOR,
    "POST /account-changes/{id}/approval": OPERATOR,
    "POST /account-changes/{id}/refusal": OPERATOR,
    "GET /account-approvals": OPERATOR,
    "PUT /account-approvals": OPERATOR,
    "GET /vouched": OPERATOR,
    "POST /vouched/freeing": OPERATOR,
    "POST /password": EVERYBODY,
    "GET /session": EVERYBODY,
    "DELETE /session": EVERYBODY,
    "GET /outbox": LINKS,
    "POST /outbox/retry": LINKS,
    "GET /health": AUDITORS,
    "POST /clock/confirmation": OPERATOR,
    "POST /audit/fork/acknowledgement": OPERATOR,
    "GET /audit": AUDITORS,
    "GET /audit/rows": AUDITORS,
    "GET /audit/checkpoint": AUDITORS,
    "GET /audit/checkpoints": AUDITORS,
    "POST /requests/{id}/evidence": ("auditor",),
    "POST /purge": OPERATOR,
    "GET /news": EVERYBODY,
    "GET /notices": AUDITORS,
}
"""The roles that may call a route of ACM-1; what they see there is the flow's business."""

CONSOLE: dict[str, tuple[str, ...]] = {
    "GET /inbox": EVERYBODY,
    "GET /exchanges": EVERYBODY,
    "GET /news": EVERYBODY,
    "GET /news/newest": EVERYBODY,
    "GET /exchanges/{id}": EVERYBODY,
    "GET /exchanges/{id}/review": REVIEWER,
    "POST /exchanges/{id}/review": REVIEWER,
    "POST /exchanges/{id}/decision": REVIEWER,
    "POST /exchanges/{id}/question": REVIEWER,
    "GET /exchanges/{id}/answer": ASKERS,
    "POST /exchanges/{id}/answer": ASKERS,
    "POST /exchanges/{id}/retrieval": ASKERS,
    "GET /exchanges/{id}/withdrawal": ASKERS,
    "POST /exchanges/{id}/withdrawal": ASKERS,
    "POST /exchanges/{id}/evidence": ("auditor",),
    "GET /requests/new": REQUESTER,
    "POST /requests/new": REQUESTER,
    "POST /requests": REQUESTER,
    "GET /giving/new": ("identity-editor",),
    "POST /giving/new": ("identity-editor",),
    "POST /giving": ("identity-editor",),
    "GET /exchanges/{id}/provisioning": PROVISIONS,
    "POST /exchanges/{id}/provisioning": PROVISIONS,
    "GET /exchanges/{id}/provisioning/removal": PROVISIONS,
    "POST /exchanges/{id}/provisioning/cancellation": PROVISIONS,
    "GET /exchanges/{id}/provisioning/documents": PROVISIONS,
    "GET /provisioning": PROVISIONS,
    "GET /exchanges/{id}/explanation": EVERYBODY,
    "GET /explanation": EVERYBODY,
    "GET /identities": READS_IDENTITIES,
    "GET /identities/difference": READS_IDENTITIES,
    "GET /identities/entry": ("identity-editor",),
    "POST /identities/entry": ("identity-editor",),
    "GET /identities/import": ("identity-editor",),
    "POST /identities/import": ("identity-editor",),
    "GET /policy": READS_RULES,
    "POST /policy": PARTNERS,
    "GET /policy/trial": READS_RULES,
    "POST /policy/trial": READS_RULES,
    "GET /audit": AUDITORS,
    "POST /audit": AUDITORS,
    "GET /audit/checkpoint": AUDITORS,
    "POST /sign-out": EVERYBODY,
    "GET /notifications": EVERYBODY,
    "GET /partners": EVERYBODY,
    "GET /partners/new": PARTNERS,
    "POST /partners/new": PARTNERS,
    "GET /partners/new/file": PARTNERS,
    "GET /partners/{id}": EVERYBODY,
    "GET /partners/{id}/acceptance": PARTNERS,
    "POST /partners/{id}/acceptance": PARTNERS,
    "GET /partners/{id}/suspension": PARTNERS,
    "POST /partners/{id}/suspension": PARTNERS,
    "GET /partners/{id}/resumption": PARTNERS,
    "POST /partners/{id}/resumption": PARTNERS,
    "GET /partners/{id}/removal": PARTNERS,
    "POST /partners/{id}/removal": PARTNERS,
    "GET /partners/{id}/terms": PARTNERS,
    "POST /partners/{id}/terms": PARTNERS,
    "GET /partners/{id}/approvals/{kind}": PARTNERS,
    "POST /partners/{id}/approvals/{kind}": PARTNERS,
    "GET /partners/{id}/change": EVERYBODY,
    "POST /partners/{id}/change": PARTNERS,
    "POST /partners/{id}/comparison": PARTNERS,
    "GET /partners/{id}/check": LINKS,
    "POST /partners/{id}/check": LINKS,
    "GET /outbox": LINKS,
    "POST /outbox/retry": LINKS,
}
"""The roles that may open a page of the console, below /console; what they see there is that of ACM-1."""

CONSOLE_OPEN = (
    "GET /",
    "GET /static/{name}",
    "GET /sign-in",
    "POST /sign-in",
    "GET /sign-in/provider",
    "GET /sign-in/answer",
)
"""What anybody may open at the console: none of it says anything but the name of the MC system."""

OPEN = ("GET /", "GET /openapi.json", "GET /health/live", "GET /health/ready", "POST /sessions")
"""What anybody may call: none of it says anything about an exchange, a partner or a person."""

STREAMS = ("GET /notifications",)
"""For every role; not in the table of routes."""

ID = "01a206cb-f5c6-77ad-94c0-f9f1f6155a0d"
PEER = "mc.county-fire.example"

COMMANDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "login": (("{url}", "--account", "okoye", "--certificate", "{certificate}"), ("POST /sessions",)),
    "request server-identity": (
        ("--partner", PEER, "--purpose", "x", "--user", "sip:a@b.example"),
        ("POST /requests",),
    ),
    "give server-identity": (("--partner", PEER, "--purpose", "x"), ("POST /requests",)),
    "requests": ((), ("GET /requests",)),
    "show": ((ID,), ("GET /requests/{id}",)),
    "pending": ((), ("GET /pending",)),
    "review": (
        (ID, "--approve", "--reason", "x", "--yes", "--seen", "1.1"),
        ("GET /requests/{id}", "POST /requests/{id}/review"),
    ),
    "revoke": ((ID, "--reason", "x"), ("POST /requests/{id}/revocation",)),
    "ask": ((ID, "--text", "x"), ("POST /requests/{id}/questions",)),
    "answer": ((ID, "--text", "x", "--question", "1"), ("GET /requests/{id}", "POST /requests/{id}/answers")),
    "fetch": ((ID,), ("POST /requests/{id}/retrieval",)),
    "withdraw": ((ID,), ("POST /requests/{id}/withdrawal",)),
    "audit": ((), ("GET /audit",)),
    "news": ((), ("GET /news",)),
    "notices": ((), ("GET /notices",)),
    "account add": (
        ("n", "--mc-service-id", "sip:a@b.example", "--role", "auditor"),
        ("POST /accounts",),
    ),
    "account list": ((), ("GET /accounts",)),
    "account disable": (("n",), ("POST /accounts/{name}/disablement",)),
    "account enable": (("n",), ("POST /accounts/{name}/enablement",)),
    "account choose": (("n",), ("POST /accounts/{name}/choice",)),
    "account changes": ((), ("GET /account-changes",)),
    "account approve": ((ID,), ("POST /account-changes/{id}/approval",)),
    "account refuse": ((ID, "--reason", "x"), ("POST /account-changes/{id}/refusal",)),
    "account approvals": (("--needed", "2"), ("PUT /account-approvals",)),
    "account vouched": ((), ("GET /vouched",)),
    "account free": (("sip:a@b.example",), ("POST /vouched/freeing",)),
    "account unlock": (("n",), ("POST /accounts/{name}/unlocking",)),
    "account set": (("n", "--role", "auditor"), ("PATCH /accounts/{name}",)),
    "account password": ((), ("POST /password", "POST /sessions")),
    "logout": ((), ("DELETE /session",)),
    "identities show": ((), ("GET /server-identities",)),
    "identities holders": ((), ("GET /server-identities/holders",)),
    "identities set": (("{toml}",), ("PUT /server-identities",)),
    "identities import": (("{xml}",), ("PUT /server-identities",)),
    "template show": ((PEER,), ("GET /partners/{id}/template",)),
    "template set": ((PEER, "{toml}"), ("PUT /partners/{id}/template",)),
    "provision": ((ID, "--out", "{new}"), ("GET /requests/{id}/documents",)),
    "partner export": (("{new}",), ("GET /partner-file",)),
    "partner add": (("{partner}",), ("POST /partners",)),
    "partner accept": (
        (PEER, "--thumbprint", "x"),
        ("GET /partners/{id}", "GET /partner-file", "POST /partners/{id}/acceptance"),
    ),
    "partner set": ((PEER, "--max-open", "1"), ("GET /partners/{id}", "PUT /partners/{id}/terms")),
    "partner approvals": ((PEER, "--review", "2"), ("PUT /partners/{id}/approvals",)),
    "partner changes": ((PEER,), ("GET /partners/{id}/change",)),
    "partner confirm": ((PEER, "--seen", "x"), ("POST /partners/{id}/change/confirmation",)),
    "partner remove": ((PEER, "--reason", "x", "--yes"), ("POST /partners/{id}/removal",)),
    "partner list": ((), ("GET /partners",)),
    "partner show": ((PEER,), ("GET /partners/{id}",)),
    "partner suspend": ((PEER,), ("POST /partners/{id}/suspension",)),
    "partner resume": ((PEER,), ("POST /partners/{id}/resumption",)),
    "partner check": ((PEER,), ("POST /partners/{id}/check",)),
    "partner compare": ((PEER,), ("POST /partners/{id}/comparison",)),
    "policy show": ((), ("GET /policy",)),
    "policy check": (("{cedar}",), ("POST /policy/check",)),
    "policy set": (("{cedar}",), ("PUT /policy",)),
    "policy try": (("{cedar}", "--against", ID), ("POST /policy/trial",)),
    "policy explain": ((ID,), ("GET /requests/{id}/explanation",)),
    "audit acknowledge": (("--reason", "restored"), ("POST /audit/fork/acknowledgement",)),
    "audit checkpoint": ((), ("GET /audit/checkpoint",)),
    "audit export": (("-o", "{new}"), ("GET /audit/checkpoint", "GET /audit/rows")),
    "audit verify": ((), ("GET /audit/checkpoint", "GET /audit/checkpoints", "GET /audit/rows")),
    "evidence": ((ID,), ("POST /requests/{id}/evidence",)),
    "purge": (("--dry-run",), ("POST /purge",)),
    "health": ((), ("GET /health",)),
    "outbox": ((), ("GET /outbox",)),
    "outbox retry": ((), ("POST /outbox/retry",)),
    "clock confirm": ((), ("POST /clock/confirmation",)),
}
"""Arguments of a command, and the routes it calls: by them the server decides whether the caller may.

`{toml}`, `{cedar}`, `{partner}` are files, `{new}` is one that is not there yet.
"""

AT_THE_MACHINE = (
    *("init", "serve", "doctor", "backup", "restore", "migrate", "demo"),
    *("keys list", "keys rotate", "keys revoke"),
    "account recover",
    *("certificates list", "certificates next", "certificates switch"),
)
"""Commands on a server's own directory: who may read and write that may use them. They call nobody."""

OFFLINE = ("policy facts", "policy roles", "evidence verify")
"""Commands that call nobody and open no directory."""

UNTIL_INTERRUPTED = {"watch": ("GET /notifications", "GET /pending")}
"""Commands that stay up, and what they call."""

ACM2 = {
    "PUT /acm2/v1/exchanges/{primary}/{id}/messages/{n}": "established",
    "GET /acm2/v1/exchanges": "pinned, own exchanges only",
    "GET /acm2/v1/exchanges/{primary}/{id}/messages/{sender}/{n}": "pinned, own exchanges only",
    "POST /acm2/v1/partnership": "pinned",
    "GET /acm2/v1/metadata": "pinned",
}
"""What a partner's server must be for each route of ACM-2."""

"""What the members of the documents about log-on, accounts, notices and the health of the server mean."""

from acmx.domain import acm1

OPERATIONS: dict[type, dict[str, str]] = {
    acm1.Credentials: {"account": "name of a local account", "password": "its password"},
    acm1.Session: {
        "token": "the bearer token",
        "account": "name of the account",
        "mc_service_id": "MC service ID",
        "roles": "see 8.7",
        "system": "MC system ID of this ACM server",
        "ends_at": "when the token ends: 12 hours after log-on",
    },
    acm1.SignIn: {
        "system": "MC system ID of this ACM server",
        "oidc": "the OpenID provider; absent: there are local accounts alone",
    },
    acm1.ProviderSignIn: {
        "issuer": "issuer identifier; its metadata are at `/.well-known/openid-configuration` below it",
        "client_id": "the public client for ACM clients of this system",
        "scope": "what to ask for",
        "resource": "`resource` of the authorization and of the token request (RFC 8707)",
        "acr_values": "`acr_values` of the authorization request",
    },
    acm1.Standing: {
        "account": "name of the local account, or `oidc:` and the subject of the OpenID provider",
        "mc_service_id": "MC service ID",
        "roles": "see 8.7",
        "system": "MC system ID of this ACM server",
        "automatic": "a service account: what it decides is shown as decided by an agent",
    },
    acm1.PasswordChange: {"current": "the password so far", "new": "12 characters or more"},
    acm1.AuditPage: {"items": "newest first", "next": "see 8.3"},
    acm1.NoticePage: {"items": "newest first", "next": "see 8.3"},
    acm1.Notice: {
        "serial": "number of the notice",
        "at": "when it happened",
        "event": "an event of 6.1, `reminder`, `escalation`; `partnership-` and what the partner says now; of "
        "operators `expiry` or `partner-change`",
        "audience": "`asker`, `reviewers`; where it is of no exchange `partner-administrators` or `operators`",
        "exchange": "the exchange; absent: the partnership; of operators what it is about",
        "primary": "its primary MC system; the partner; of operators this system",
        "person": "the person meant, by MC service ID or alias; absent: whoever may review, or change partners",
        "tellings": "what is sent of it, see [notifications](notifications.md); absent: nothing",
    },
    acm1.Telling: {
        "channel": "`mail`, or `webhook:` and its name",
        "recipient": "mail address, or where the webhook's receiver is",
        "state": "`waiting`, `sent`, `failed`, or `dropped`: no longer needed when it was to be sent",
        "attempts": "how often it was sent",
        "sent_at": "when it was taken",
        "next_attempt_at": "when it is sent, or sent again, at the earliest",
        "last_error": "why it waits, failed or was dropped",
        "parcel": "the mail or post it is in: its Message-ID begins with it",
    },
    acm1.NewAccount: {
        "name": "lower case letters, digits, `.`, `_`, `-`",
        "mc_service_id": "of a realm of this system",
        "roles": "at least one; see 8.7",
        "password": "12 characters or more",
        "functional_aliases": "the first one is the alias the person asks under",
        "automatic": "a service account",
        "mail": "where the person is written to; ASCII",
    },
    acm1.AccountChange: {
        "roles": "all roles from now on, also of sessions that have begun; at least one",
        "mail": "where the person is written to from now on; null: nowhere",
    },
    acm1.Account: {
        "name": "name",
        "mc_service_id": "MC service ID",
        "functional_aliases": "aliases",
        "roles": "see 8.7",
        "automatic": "a service account",
        "disabled": "nobody logs on with it any more",
        "mail": "where the person is written to",
    },
    acm1.Accounts: {"items": "by name", "next": "see 8.3"},
    acm1.Finding: {
        "name": "what was checked",
        "status": "`ok`, `warning` or `failed`",
        "text": "what was found, for people",
    },
    acm1.Findings: {"items": "in the order of the checks"},
    acm1.ClockStanding: {
        "now": "the server's time",
        "held_since": "since when nothing expires, as the clock is in doubt",
        "reason": "why it is in doubt",
    },
    acm1.Component: {
        "name": "`delivery`, `messenger`, `clockwork`, `notifications`, `partners`, `sealer` or `writer`",
        "ok": "whether it goes on",
        "of": "of `delivery`: MC system ID; of `messenger`: `mail`, or `webhook:` and its name",
        "trouble": "what is wrong with it",
    },
    acm1.Health: {
        "ok": "all components are, and the clock is not in doubt",
        "version": "of acmx",
        "components": "what has to go on",
        "clock": "how the clock stands",
        "expiring": "certificates and keys, this system's and its partners', that end within 30 days or have ended",
    },
}

"""The tables of members of each document: name, type and need from the struct, the meaning from here."""

from typing import Any

from docs.generate.members_policy import POLICY
from msgspec import inspect

from acmx.domain import acm1, comparison, messages, partnership, records
from acmx.domain.identities import Realms
from acmx.kinds import catalogue as kind

MEANINGS: dict[type, dict[str, str]] = {
    messages.Message: {
        "version": "`1.0`; see 3.1",
        "exchange": "UUID of version 7 in lower case, minted by the primary's ACM server; the one in the path",
        "n": "number of this message among those of its sender in this exchange; the one in the path",
        "from": "MC system ID of the sender",
        "to": "MC system ID of the receiver",
        "created_at": "when the body was minted",
        "critical": "members that the receiver has to understand; see 3.1",
    },
    messages.Request: {
        "kind": "what is asked for, `server-identity`, or given, `server-identity-provision`; see 3.8",
        "asker": "the authorised user who asks",
        "expires_at": "until when the partner may decide; not until when it may deliver",
        "users": "MC service IDs of the users who shall be allowed to migrate: 1 to 10,000, each once, "
        "each of a realm of the sender. Empty where the sender gives unasked",
        "purpose": "why, for the person who decides; no control characters",
        "addressee": "who shall decide; absent: whoever may",
        "urgency": "`normal` where absent; information for people and policy",
        "reference": "agreement or incident; no control characters",
        "valid_from": "from when the users shall be admitted",
        "valid_until": "until when; later than `valid_from`, or than `created_at` where that is absent",
        "content": "belongs to the kind; see 3.8",
    },
    messages.Response: {
        "answers": "SHA-256 of the body of the request, 64 hexadecimal digits",
        "asker": "as in the request, member by member",
        "outcome": "follows from the verdicts: all approved, some, none; `expired` takes the place of `declined` "
        "where nobody decided in time",
        "handler": "who decided; see Person who decided and Automatic",
        "decided_at": "when it was decided (step 12, or step 6)",
        "verdicts": "together they name each user of the request exactly once; exactly one where it names none",
        "reason": "public reason",
        "valid_from": "what is granted; absent: no bound. Absent unless somebody is approved",
        "valid_until": "what is granted; absent: no end. Absent unless somebody is approved",
        "content": "belongs to the kind; see 3.8. Empty or absent unless somebody is approved",
    },
    messages.Withdrawal: {"asker": "the asker of the request; without alias", "reason": "public reason"},
    messages.Question: {"handler": "who asks, and may decide", "text": "the question"},
    messages.Answer: {
        "asker": "the asker of the request; without alias",
        "answers": "SHA-256 of the body of the question, 64 hexadecimal digits",
        "text": "the answer",
    },
    messages.Update: {
        "content": "what the kind gives now, whole: it takes the place of the content of the response"
    },
    messages.Revocation: {
        "handler": "who took it back; see Person who decided",
        "users": "whose approval ends: some of those whom the response approved, as written there",
        "reason": "public reason",
    },
    messages.Person: {
        "mc_service_id": "MC service ID",
        "functional_alias": "the role the person acts in",
    },
    messages.Addressee: {
        "mc_service_id": "a person",
        "functional_alias": "a role. Exactly one of the two is there",
    },
    messages.Handler: {
        "by": "`person`",
        "mc_service_id": "MC service ID",
        "functional_alias": "the alias that the request was addressed to, if that is how the person came to decide",
    },
    messages.Agent: {
        "by": "`agent`",
        "mc_service_id": "MC service ID of the service account, marked automatic, that decided",
        "functional_alias": "as above",
    },
    messages.Automatic: {"by": "`policy`: local policy decided, or the clock (outcome `expired`)"},
    messages.Verdict: {
        "approved": "whether these users may migrate",
        "users": "some users of the request, as written there",
        "reason": "public reason",
    },
    messages.Receipt: {
        "version": "`1.0`",
        "exchange": "as in the message",
        "n": "as in the message",
        "from": "MC system ID of the system that says this: the receiver of the message",
        "to": "MC system ID of the sender of the message",
        "created_at": "when the message was stored",
        "digest": "SHA-256 of the body of the message, 64 hexadecimal digits",
        "status": "`withdrawn` or `decided` for a withdrawal, else `stored`",
    },
    messages.Refusal: {
        "type": "`urn:acmx:problem:` and a type of section 7",
        "title": "one sentence, the same for each type",
        "status": "the HTTP status",
        "detail": "what was wrong this time, at most 500 characters, for people",
        "version": "`1.0`",
        "exchange": "from the path",
        "n": "from the path",
        "from": "MC system ID of the system that says this: the receiver of the message",
        "to": "MC system ID of the sender of the message",
        "created_at": "when it was refused",
        "digest": "SHA-256 of the body that arrived, 64 hexadecimal digits",
        "final": "`true`: this message will never be taken; `false`: send it again later",
        "held": "`place-taken`: the digest of the body that stands at this place",
        "signed_at": "`clock-ahead`: the `iat` of the signature, as a time",
        "received_at": "`clock-ahead`: the receiver's time",
        "faults": "`invalid-message`: at most 20 objects with `field` (path), `value` (as given, cut) and `rule`",
    },
    partnership.Metadata: {
        "version": "`1.0`",
        "system": "MC system ID",
        "name": "name of the organisation",
        "address": "base URL of its ACM-2 listener: `https://host` or `https://host:port`, no path",
        "contact": "whom to call",
        "keys": "the keys that may sign for this system",
        "certificates": "PEM of each leaf certificate that its server shows on ACM-2, as client and as server: "
        "the current one, and the next",
        "realms": "whose users are its own",
        "kinds": "the kinds it exchanges",
        "versions": "the versions of ACM-2 it speaks; must hold `1.0`",
        "created_at": "when it last changed; absent as it was first set up. Later metadata has a later one",
    },
    partnership.PublishedKey: {
        "kid": "thumbprint of the key (RFC 7638, SHA-256, base64url without padding, 43 characters)",
        "x": "the public key: 32 bytes, base64url without padding",
        "kty": "`OKP` where absent",
        "crv": "`Ed25519` where absent",
        "ends_at": "the last moment at which it may sign",
    },
    partnership.SupportedKind: {"kind": "name of the kind", "versions": "its versions"},
    Realms: {
        "hosts": "hosts of SIP URIs, lower case; each stands for itself, not for the hosts below it",
        "phone_contexts": "values of `;phone-context=` of local numbers",
        "tel_prefixes": "first digits of global numbers, with `+`",
    },
    partnership.PartnerFile: {
        "metadata": "the metadata as text; its UTF-8 bytes are what is signed and pinned",
        "signature": "an ACM-Signature value with `typ` `acm-metadata` and `iss` = `aud` = the system itself",
    },
    comparison.ExchangesPage: {
        "version": "`1.0`",
        "from": "MC system ID of the system that says this",
        "to": "MC system ID of the system that asked",
        "created_at": "when this was said",
        "items": "the exchanges in the order of (primary, exchange), compared as text",
        "next": "the `after` of the next page; absent on the last",
    },
    comparison.Common: {
        "primary": "MC system ID of the primary",
        "exchange": "UUID of version 7 in lower case",
        "role": "of the system that says this",
        "state": "of the exchange there (6.2)",
        "messages": "every message of both sides that is stored there, without those that were never sent",
    },
    comparison.Standing: {
        "sender": "whose message it is",
        "n": "its number",
        "type": "its type; `refused` where it was refused finally",
        "digest": "SHA-256 of its body",
    },
    partnership.Statement: {
        "version": "`1.0`",
        "from": "MC system ID of the sender",
        "to": "MC system ID of the receiver",
        "created_at": "when this was said; an older statement never replaces a newer one",
        "state": "how the partnership stands at the sender",
        "reason": "why it is suspended or removed, for the people of the receiver; no answer is expected",
        "metadata_digest": "SHA-256 of the sender's metadata now, 64 hexadecimal digits; see 4.5",
        "versions": "the versions of ACM-2 that the sender speaks",
        "your_keys": "`kid` of each key of the receiver that the sender has pinned and that has not ended",
        "your_certificates": "SHA-256 of each certificate (DER) of the receiver that the sender has pinned, 64 "
        "hexadecimal digits",
    },
    kind.Wanted: {"services": "the MC services that it is for; absent: all three"},
    kind.Given: {
        "services": "the services that it is for; of those wanted",
        "catalogue": "number of the version of the server identity information that was disclosed",
        "missing": "required rows that are absent; both sides see them",
        "server_identity": "the rows; see 3.9",
    },
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
    acm1.Submission: {
        "kind": "`server-identity`, or `server-identity-provision` to give unasked",
        "partner": "MC system ID of an established partner",
        "users": "as in a request (3.2); absent where something is given unasked",
        "purpose": "as in a request",
        "reference": "as in a request",
        "addressee": "as in a request",
        "urgency": "as in a request",
        "valid_from": "as in a request",
        "valid_until": "as in a request",
        "expires_at": "as in a request; absent: after the days that the server is configured for (30)",
        "content": "Wanted (3.8), whatever the kind: where something is given, the server adds the rows",
    },
    acm1.Accepted: {"id": "the exchange", "state": "its state now"},
    acm1.VerdictInput: {
        "approved": "whether these users are approved",
        "users": "some users of the request; absent: everybody whom no other verdict names, or what was given unasked",
    },
    acm1.Review: {
        "verdicts": "one or two; every user of the request is named by exactly one",
        "reason": "public reason: it goes to the partner",
        "seen": "as `seen` of the exchange says: version of the exchange, dot, version of the server identity "
        "information",
        "note": "for the people of the own system; it never leaves it",
    },
    acm1.Reviewed: {
        "id": "the exchange",
        "state": "its state now",
        "outcome": "as in the response, or `undecided` while others have to review; at the primary system `released`, "
        "`refused` or `undecided`",
        "approved": "how many users",
        "declined": "how many users, whoever declined them",
        "approvals": "while it is `undecided`: how many people's reviews count so far",
        "needed": "while it is `undecided`: how many have to",
    },
    acm1.GivenReview: {
        "person": "MC service ID, in its canonical form",
        "at": "when",
        "approved": "how many users",
        "declined": "how many users",
        "reason": "public reason",
        "counts": "`false`: nothing is decided yet, and the exchange or the catalogue has changed since; it has to be "
        "given again, but whom it declines stays declined",
        "note": "as it was given with the review",
    },
    acm1.Threshold: {
        "approvals": "how many people: for `review` at least 1, for `release` 0 means that nobody need release",
        "roles": "each of them must have one of these besides the permission `review`",
    },
    acm1.Approvals: {
        "kind": "what is exchanged",
        "review": "of the partner's requests; 1 where nothing was set",
        "release": "of requests to the partner, before they leave; 0 where nothing was set",
    },
    acm1.TextInput: {"text": "what the other system shall read"},
    acm1.WithdrawalInput: {"reason": "public reason"},
    acm1.RevocationInput: {
        "reason": "why, for the partner to read",
        "users": "whose approval is taken back, each once; absent: everybody's",
    },
    acm1.Revoked: {
        "id": "the exchange",
        "grant": "`live`, or `revoked` once nobody is approved any more",
        "revoked": "how many users it was of",
        "approved": "how many are approved still",
    },
    acm1.UpdateShown: {
        "n": "number of the message",
        "created_at": "when it was minted",
        "changes": "against what held before",
    },
    acm1.RevocationShown: {
        "n": "number of the message",
        "created_at": "when it was minted",
        "person": "MC service ID of who took it back",
        "users": "for whom",
        "reason": "public reason",
    },
    acm1.Summary: {
        "id": "the exchange",
        "primary": "MC system ID of the primary system",
        "partner": "MC system ID of the other system, whichever of the two this one is",
        "role": "which of the two this system is",
        "state": "see 6.2",
        "kind": "`null` where only a withdrawal has arrived",
        "asker": "MC service ID",
        "urgency": "`normal` or `urgent`",
        "purpose": "as asked",
        "user_count": "how many users were asked for; 0 where something is given unasked",
        "created_at": "primary: when it was submitted; partner: when it arrived",
        "expires_at": "as asked",
        "addressee": "MC service ID or functional alias",
        "reference": "as asked",
        "outcome": "once decided",
        "reason": "public reason",
        "decided_by": "MC service ID of the person; absent if automatic",
        "grant": "`live` or `ended`, once somebody is approved",
        "valid_from": "as asked, then as granted",
        "valid_until": "as asked, then as granted",
    },
    acm1.Exchange: {
        "seen": "the versions that a review has to name",
        "reviews": "who has reviewed it here, in that order",
        "approvals_needed": "while people here have to review or release it: how many",
        "users": "as asked",
        "content": "as asked",
        "steps": "the 18 steps",
        "journal": "what happened here, oldest first",
        "waiting": "messages of this system that the partner has not yet answered with its signature",
        "conversation": "questions of the partner system and answers of the primary, in order",
        "verdicts": "of the response",
        "disclosed": "what the response gives, or the last update; while pending: what an approval would give now",
        "missing": "required rows that are missing in it",
        "refusal": "the partner's final refusal, as it came",
        "contradictions": "signed messages that lost their place to an earlier one (4.4)",
        "partnership": "how the partnership stands (see Partner) while nothing can be exchanged in an open exchange",
        "updates": "what the partner changed later, in that order",
        "revocations": "what it took back later, in that order",
        "on_cms": "what the own CMS holds though it should not: documents `older` than what the partner gives now, or "
        "entries `to-remove`",
    },
    acm1.Contradiction: {
        "sender": "MC system ID",
        "n": "number of the message",
        "type": "of the message",
        "digest": "SHA-256 of its body",
        "created_at": "when it was minted: later than the one that stands",
        "found_at": "when this system saw both",
        "outcome": "of a response",
        "decided_by": "of a response: who decided; absent: policy or the clock",
        "reason": "of a response",
    },
    acm1.Step: {
        "n": "1 to 18",
        "status": "`done`, `waiting`, `not-taken`, `failed`, `elsewhere` (only the other system knows) or `ahead`",
        "at": "when",
        "note": "rule, person or error",
    },
    acm1.Waiting: {
        "type": "of the message",
        "attempts": "so far",
        "next_attempt_at": "when it is sent again at the earliest",
        "last_error": "why it was not taken",
    },
    acm1.Remark: {
        "type": "which of the two",
        "at": "when it was said, by the clock of the side that said it",
        "person": "MC service ID",
        "text": "the words",
    },
    acm1.JournalEntry: {
        "serial": "number of the row",
        "at": "when",
        "event": "see 6.1 for those of exchanges",
        "actor": "MC service ID, MC system ID, `policy` or `clock`",
        "exchange": "its id",
        "primary": "MC system ID of its primary system",
        "detail": "belongs to the event",
    },
    acm1.Answer: {
        "id": "the exchange",
        "partner": "MC system ID",
        "outcome": "as in the response",
        "handler": "the person who decided",
        "automatic": "`true` if policy or the clock decided",
        "decided_at": "as in the response",
        "reason": "as in the response",
        "verdicts": "as in the response",
        "valid_from": "as in the response",
        "valid_until": "as in the response",
        "content": "as in the response (3.8), or in the last update",
        "updated_at": "of the last update",
        "revoked": "for whom the approval was taken back",
    },
    acm1.Page: {"items": "newest first", "next": "see 8.3"},
    acm1.Pending: {
        "mc_service_id": "whose list this is",
        "to_decide": "requests of partners that this person may review, oldest first",
        "to_fetch": "answered requests of this person that were not retrieved yet, oldest first",
        "to_answer": "requests of this person about which the partner has asked, oldest first",
        "to_release": "requests of others of this system that this person may release, oldest first",
        "next": "see 8.3",
    },
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
    acm1.NewTemplate: {
        "template": "timers, protection, networks and what else an answer need not carry: examples/templates/"
    },
    acm1.Template: {
        "partner": "MC system ID of the partner",
        "version": "0: none was entered",
        "template": "the values; `x509` and `key` are shown as `…`, and `…` given back keeps them",
        "entered_at": "when",
        "entered_by": "MC service ID",
    },
    acm1.Documents: {
        "id": "the exchange",
        "partner": "MC system ID of the partner",
        "catalogue": "version of the partner's server identity information",
        "template": "version of the template; 0: the defaults",
        "name": "file name of the UE initial configuration document",
        "xml": "that document (TS 24.484 clause 7.2)",
        "entries": "one for each MC service that was granted and is provisioned here",
        "users": "MC service IDs of the approved users; empty where the partner gave unasked",
        "sources": "for each value `answer` or `template`",
    },
    acm1.Entry: {
        "service": "`mcptt`, `mcvideo` or `mcdata`",
        "name": "file name",
        "xml": "the user profile migration entry: the partner's id and the whole document",
    },
    acm1.NewProvisioning: {
        "mode": "`push`: put the documents on the CMS; `preview`: say what that would change; `remove`: take them out",
        "rel13": "leave out what readers of Release 13 do not know",
        "users": "for whom, with `push` and `preview` of what a partner gave unasked: MC service IDs of own users; "
        "else absent",
    },
    acm1.Provisioning: {
        "id": "of the job",
        "exchange": "whose documents they are",
        "partner": "MC system ID of the partner",
        "mode": "`push`, `preview` or `remove`",
        "state": "`done`: every document has ended, some may have failed; `failed`: nothing could be done",
        "catalogue": "version of the partner's server identity information",
        "template": "version of the template; 0: the defaults",
        "started_at": "when",
        "started_by": "MC service ID",
        "total": "how many documents",
        "counts": "how many of them are in which state",
        "ended_at": "when",
        "next_attempt_at": "before it the CMS is left alone",
        "last_error": "why it is left alone, or why the job ended early",
    },
    acm1.Provisionings: {"items": "newest first"},
    acm1.ProvisioningRow: {
        "n": "its place in the job",
        "xui": "MC service ID; for `ue` whose directory the document lies in",
        "service": "`mcptt`, `mcvideo`, `mcdata`; `ue`: the UE initial configuration document",
        "state": "`waiting`, `written` (or removed), `unchanged`, `different` (preview), `failed`",
        "attempts": "how often it was tried",
        "detail": "why it failed or waits; in a preview `path: old -> new`, one a line",
        "at": "when that came to be",
    },
    acm1.ProvisioningRows: {"items": "in the order of the job", "next": "`after` of the next page"},
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
    acm1.NewIdentities: {
        "server_identity": "the rows (3.9)",
        "incomplete": "`true` admits missing required rows",
    },
    acm1.Identities: {
        "version": "1, 2, ...; 0: none was entered",
        "missing": "required rows that are absent",
        "server_identity": "the rows (3.9)",
        "entered_at": "when",
        "entered_by": "MC service ID",
    },
    acm1.Partner: {
        "approvals": "how many people must approve, where that was set (Approvals)",
        "id": "MC system ID",
        "name": "name of the organisation",
        "state": "`established`, `accepted here`, `offered`, `suspended` or `removed`",
        "state_here": "what this system says: `offered`, `accepted`, `suspended` or `removed`",
        "state_there": "what the partner said last",
        "reason_here": "why, as the partner was told",
        "reason_there": "why, as the partner said",
        "told": "whether the partner has taken what this system says now",
        "seen": "digest of the pinned metadata: what an acceptance may name",
        "address": "base URL of its ACM-2 listener",
        "contact": "whom to call",
        "thumbprints": "`kid` of each pinned key",
        "spoken": "the same as 12 groups of 5 digits (4.3)",
        "certificates": "the pinned leaf certificates",
        "hosts": "pinned realms",
        "phone_contexts": "pinned realms",
        "tel_prefixes": "pinned realms",
        "kinds": "kinds the partner exchanges",
        "terms": "what this system admits",
        "waiting": "how many messages wait for it",
        "last_success_at": "when the link last worked",
        "last_error": "why it does not",
        "next_attempt_at": "when it is tried again",
        "compared_at": "when the last completed comparison of the common exchanges (4.4) began",
        "comparison_due": "why a comparison is due: `start`, `silence`, `asked`, or the type of a refusal",
        "comparison_error": "what was wrong in the last one",
        "change_waits": "`true`: see PartnerChange",
    },
    acm1.PartnerChange: {
        "partner": "MC system ID",
        "fields": "what waits for a person; empty: nothing",
        "seen": "names what was shown; absent: nothing waits",
        "found_at": "when it was found",
        "fault": "why the metadata that came last was not taken at all",
    },
    acm1.FieldChange: {
        "field": "`address`, `certificates`, `hosts`, `phone_contexts` or `tel_prefixes`; of an update the path of a "
        "member of `content`, such as `server_identity.kms`",
        "old": "as pinned, or as it was; empty: absent. A certificate by its SHA-256 in 12 groups of 5 digits (as in "
        "4.3) and its end",
        "new": "as the partner has it now",
    },
    acm1.Confirmation: {"seen": "as in the PartnerChange that was shown"},
    acm1.PinnedCertificate: {
        "fingerprint": "SHA-256, 64 hexadecimal digits",
        "ends_at": "end of its validity",
    },
    acm1.Acceptance: {
        "thumbprints": "every key of the partner as people compared it: `kid`, or the digits of 4.3 with or without "
        "spaces",
        "seen": "of the Partner that they looked at; absent: the keys alone were compared",
    },
    acm1.Suspension: {"reason": "why, for the partner to read"},
    acm1.Removal: {"reason": "why, for the partner to read"},
    acm1.Terms: {
        "kinds": "what is exchanged with the partner; absent: every kind",
        "askers": "MC service IDs and roles: who here may ask it; absent: whoever may ask",
        "max_open": "how many of its requests may wait for a decision; 1,000 until terms are set",
        "max_users": "how many users a request of it may name; 10,000 until then",
        "max_per_hour": "how many of its requests are taken: so many at once, and evenly as many an hour; 3,600 until "
        "then",
        "note": "for the people here; the partner does not see it",
        "reprovision": "`true`: what was put on the own CMS follows by itself what the partner changes or takes back",
    },
    acm1.Partners: {"items": "by MC system ID"},
    acm1.QueuedMessage: {
        "partner": "MC system ID",
        "primary": "MC system ID of the exchange's primary system",
        "exchange": "its id",
        "n": "number of the message",
        "type": "of the message",
        "queued_at": "when it began to wait",
        "attempts": "so far",
        "next_attempt_at": "when it is sent again at the earliest",
        "give_up_at": "until when it is sent",
        "last_attempt_at": "when it was last sent",
        "last_error": "why the partner cannot be reached, or did not take it",
        "undeliverable": "`true` once it is no longer sent",
    },
    acm1.OutboxPage: {"items": "oldest first", "next": "see 8.3"},
    acm1.Retry: {
        "partner": "MC system ID: all that waits for it",
        "exchange": "id, or PRIMARY:ID: all that waits of it. Not beside `partner`",
    },
    acm1.Retried: {
        "messages": "how many messages are sent as soon as the partner answers",
        "partners": "MC system IDs: whose back-off was lifted",
    },
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
    records.SealedRow: {
        "serial": "where the row is stored",
        "number": "counted from 1 as it is sealed; null for the second until then",
        "hash": "of the row as a leaf of the tree, 64 hexadecimal digits; null like `number`",
        "line": "the row as JSON, byte for byte as it is hashed ([evidence.md](evidence.md))",
    },
    records.SealedRows: {"items": "oldest first", "next": "see 8.3"},
    records.Checkpoint: {
        "version": "`1.0`",
        "system": "MC system ID",
        "size": "how many rows of the journal it covers",
        "root": "root of the tree over them, 64 hexadecimal digits",
        "created_at": "when",
    },
    records.SignedCheckpoint: {
        "checkpoint": "a Checkpoint as text, byte for byte as it is signed",
        "signature": "the ACM-Signature (5) of the system for itself, `typ` `acm-checkpoint`",
        "key": "the key that made it",
    },
    records.Checkpoints: {"items": "the smallest first", "next": "see 8.3"},
    records.HeldMetadata: {
        "system": "MC system ID",
        "metadata": "Metadata (4.1) as text, byte for byte, oldest first, with all keys that ever held",
    },
    records.SignedMessage: {
        "sender": "MC system ID",
        "receiver": "MC system ID",
        "n": "number of the message",
        "type": "of the message; `refused`: it was refused for good",
        "digest": "SHA-256 of the body, 64 hexadecimal digits",
        "stored_at": "when it was stored here",
        "body": "as text, byte for byte; absent once it was purged",
        "body_base64": "instead of `body` where that is not UTF-8, which is only ever refused",
        "signature": "the sender's; this system signs its own messages anew",
        "reply": "receipt or final refusal of the receiver, byte for byte",
        "reply_signature": "the receiver's; this system signs its own replies anew",
        "contradicted": "`true`: it lost its place to an earlier one (4.4)",
    },
    records.ProvenRow: {
        "number": "of the row",
        "line": "the row as JSON, byte for byte as it is hashed",
        "proof": "hashes from the leaf up to the root of the checkpoint (RFC 9162, 2.1.3)",
    },
    records.Evidence: {
        "type": "`evidence`",
        "version": "`1.0`",
        "acmx": "version of the software",
        "system": "who made it: MC system ID",
        "partner": "the other system",
        "role": "of `system` in the exchange",
        "primary": "MC system ID",
        "exchange": "id",
        "state": "of the exchange at `system`",
        "made_at": "when",
        "made_by": "MC service ID",
        "metadata": "of both systems",
        "messages": "of both systems",
        "journal": "the rows of this exchange, in order",
        "checkpoint": "the one that `journal` is proven against",
    },
    records.EvidenceFile: {
        "evidence": "what is stated",
        "signature": "the ACM-Signature (5) of `system` for itself, `typ` `acm-evidence`, over the canonical JSON (RFC "
        "8785) of `evidence`",
    },
    records.PurgeInput: {"dry_run": "`true`: only count"},
    records.Purged: {
        "before": "what ended before then",
        "exchanges": "how many",
        "messages": "how many bodies",
        "notices": "how many notices, with what was told of them",
        "rows": "how many rows of provisioning jobs",
        "more": "call again",
    },
}
MEANINGS |= POLICY
GROUPED: dict[type, type] = {
    messages.Request: messages.Message,
    messages.Response: messages.Message,
    messages.Withdrawal: messages.Message,
    messages.Question: messages.Message,
    messages.Answer: messages.Message,
    messages.Update: messages.Message,
    messages.Revocation: messages.Message,
    acm1.Exchange: acm1.Summary,
}
"""Structs whose table leaves out the members of another one, which has a table of its own."""


def table(struct: type) -> str:
    """The members of a document. Raises KeyError where a member has no meaning here."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    meanings = MEANINGS[struct]
    inherited = {f.encode_name for f in _fields(GROUPED[struct])} if struct in GROUPED else set()
    rows = ["| member | type | need | meaning |", "|---|---|---|---|"]
    if info.tag_field and struct not in GROUPED:
        tag = meanings.get(info.tag_field, f"`{info.tag}`")
        shown = "one of the seven messages" if struct is messages.Message else tag
        rows.append(f"| `{info.tag_field}` | text | required | {shown} |")
    rows += [
        f"| `{field.encode_name}` | {_type(field.type)} | {'required' if field.required else 'optional'} "
        f"| {meanings[field.encode_name]} |"
        for field in info.fields
        if field.encode_name not in inherited
    ]
    return "\n".join(rows)


def _fields(struct: type) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    return info.fields


def _type(kind: Any) -> str:  # noqa: C901, PLR0911
    match kind:
        case inspect.UnionType():
            return " or ".join(_type(t) for t in kind.types if not isinstance(t, inspect.NoneType))
        case inspect.LiteralType():
            return ", ".join(f"`{value}`" for value in kind.values)
        case inspect.DateTimeType():
            return "time"
        case inspect.StrType():
            return "text" + _bounds(kind.min_length, kind.max_length, " characters")
        case inspect.IntType():
            return "whole number" + _bounds(kind.ge, kind.le, "")
        case inspect.BoolType():
            return "true or false"
        case inspect.ListType() | inspect.VarTupleType():
            return f"list of {_type(kind.item_type)}"
        case inspect.StructType():
            return kind.cls.__name__
        case inspect.DictType():
            return "object"
        case inspect.AnyType():
            return "any"
    raise TypeError(kind)


def _bounds(least: int | None, most: int | None, unit: str) -> str:
    if least is None and most is None:
        return ""
    if least == most:
        return f", {least:,}{unit}"
    if least is None:
        return f", at most {most:,}{unit}"
    return f", {least:,} to {most:,}{unit}" if most is not None else f", {least:,} or more{unit}"


STRUCTS = {struct.__name__: struct for struct in MEANINGS} | {"messages.Answer": messages.Answer}

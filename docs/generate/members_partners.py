"""What the members of the documents about partners and what waits for them mean."""

from acmx.domain import acm1

PARTNERS: dict[type, dict[str, str]] = {
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
        "kinds": "what is exchanged with the partner from now on: the `kinds` of the terms; those of a partner that is "
        "accepted already stay",
        "seen": "of the Partner that they looked at; absent: the keys alone were compared",
    },
    acm1.Suspension: {"reason": "why, for the partner to read"},
    acm1.Removal: {"reason": "why, for the partner to read"},
    acm1.Terms: {
        "kinds": "what is exchanged with the partner, in either direction; a kind that is not listed is not",
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
}

"""What the members of the documents about server identities and the own CMS mean."""

from acmx.domain import acm1

PROVISIONING: dict[type, dict[str, str]] = {
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
    acm1.NewIdentities: {
        "server_identity": "the rows (3.9)",
        "incomplete": "`true` admits missing required rows",
        "replaces": "the version that it follows: `versions-differ` where another is current",
    },
    acm1.Holder: {
        "partner": "MC system ID",
        "version": "of our server identity information",
        "exchanges": "by how many exchanges whose approval is live",
    },
    acm1.Holders: {"items": "by partner, the newest version first; what was given unasked is not among them"},
    acm1.Identities: {
        "version": "1, 2, ...; 0: none was entered",
        "missing": "required rows that are absent",
        "server_identity": "the rows (3.9)",
        "entered_at": "when",
        "entered_by": "MC service ID",
    },
}

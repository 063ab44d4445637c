"""What the members of the documents about policy and roles mean."""

from acmx.domain import acm1

POLICY: dict[type, dict[str, str]] = {
    acm1.PolicyInput: {
        "text": "Cedar (section 9)",
        "replaces": "the version that it follows: `versions-differ` where another holds",
    },
    acm1.Policy: {
        "version": "1, 2, ...; 0: only checked",
        "text": "Cedar",
        "rules": "names of the rules, in order",
        "set_at": "when",
        "set_by": "MC service ID",
        "unnamed": "rules that approve and name no kind, as they were set before they had to: they count for "
        "`server-identity` and `server-identity-provision`",
        "unreadable": "why this version of acmx cannot read it: a person decides everything then",
    },
    acm1.Consultation: {
        "version": "of the policy",
        "digest": "SHA-256 of its text",
        "decision": "what came of it",
        "why": "`rule`: rules decided; `no-rule`: none permits an answer; `forbidden`: a rule forbids it; "
        "`rule-failed`: a rule failed on the facts; `unreadable`: the text could not be read; "
        "`several-approvals`: rules approve, but several people must; "
        "`nothing-to-disclose`: rules approve, but no server identities were fit to be given",
        "facts": "name and value of each fact (section 9)",
        "rules": "those that decided, or would have",
        "forbidden": "rules that forbid it",
        "failed": "rules that could not be evaluated",
    },
    acm1.RuleFailure: {"rule": "its name", "error": "why"},
    acm1.Explanation: {
        "id": "the exchange",
        "primary": "MC system ID of the primary system",
        "partner": "MC system ID of the other system",
        "role": "which of the two this system is",
        "state": "see 6.2",
        "outcome": "once decided",
        "by": "who decided: a `person` (or service account), `policy`, the `clock`; at the primary a `check` of "
        "step 2, or the `partner`; absent while nobody has",
        "decided_by": "MC service ID of the person",
        "rule": "of the policy, or the check that refused",
        "reason": "public reason",
        "decided_at": "when; at the primary, when the answer came",
        "checks": "at the primary: step 2, in order, up to the first refusal; empty where they were not kept",
        "consultation": "at the partner: step 6; absent where policy was not asked, or it was not kept",
        "asked_at": "when policy was asked",
        "facts": "the facts of the consultation",
        "policy": "that version of the policy; only with `policy-read`",
    },
    acm1.CheckShown: {
        "rule": "its name",
        "passed": "whether it let the request pass",
        "meaning": "what it asks",
        "detail": "why it refused",
    },
    acm1.FactShown: {
        "name": "its name",
        "value": "as it was",
        "meaning": "what it is",
        "source": "where it came from",
        "unit": "of a number",
    },
    acm1.Trial: {
        "text": "Cedar (section 9)",
        "against": "an exchange; absent: those that have arrived, newest first, page by page",
    },
    acm1.TrialPage: {"items": "newest first", "next": "see 8.3"},
    acm1.Tried: {
        "id": "the exchange",
        "primary": "MC system ID of its primary system",
        "at": "when the request arrived",
        "state": "see 6.2",
        "outcome": "what happened: once decided",
        "by": "who decided, as in Explanation",
        "decided_by": "MC service ID of the person",
        "rule": "of the policy that held",
        "was": "what policy said then",
        "would": "what this policy says; absent where the facts were not kept",
        "rules": "rules that decide",
        "forbidden": "rules that forbid it",
        "failed": "rules that cannot be evaluated",
        "facts": "on which it was asked",
    },
    acm1.Roles: {"items": "every role"},
    acm1.RoleShown: {"name": "its name", "may": "all it may do"},
    acm1.PermissionShown: {"name": "its name", "meaning": "in plain words, after «may»"},
}

"""The table of routes of ACM-1: what is served, who may call it, what it takes and gives.

Authorisation, decoding, the OpenAPI document and its tests come from these rows.
"""

from acmx.domain import acm1
from acmx.domain.partnership import PartnerFile
from acmx.faces.acm1 import administration as admin
from acmx.faces.acm1 import operations, requests
from acmx.faces.acm1.calls import Served

ROUTES: tuple[Served, ...] = (
    Served("POST", "/requests", None, requests.post_request, acm1.Submission, acm1.Accepted, 201),
    Served("GET", "/requests", "read-own", requests.get_requests, None, acm1.Page),
    Served("GET", "/requests/{id}", "read-own", requests.get_request, None, acm1.Exchange),
    Served(
        "POST",
        "/requests/{id}/withdrawal",
        "withdraw",
        requests.post_withdrawal,
        acm1.WithdrawalInput,
        acm1.Accepted,
    ),
    Served("POST", "/requests/{id}/retrieval", "retrieve", requests.post_retrieval, None, acm1.Answer),
    Served("POST", "/requests/{id}/review", "review", requests.post_review, acm1.Review, acm1.Reviewed),
    Served(
        "POST",
        "/requests/{id}/questions",
        "review",
        requests.post_question,
        acm1.TextInput,
        acm1.Accepted,
        201,
    ),
    Served(
        "POST", "/requests/{id}/answers", "submit", requests.post_answer, acm1.TextInput, acm1.Accepted, 201
    ),
    Served("GET", "/pending", "read-own", requests.get_pending, None, acm1.Pending),
    Served("GET", "/partners", "partners-read", admin.get_partners, None, acm1.Partners),
    Served("GET", "/partners/{id}", "partners-read", admin.get_partner, None, acm1.Partner),
    Served("POST", "/partners", "partners", admin.post_partner, PartnerFile, acm1.Partner, 201),
    Served("POST", "/partners/{id}/acceptance", "partners", admin.post_acceptance, None, acm1.Partner),
    Served("POST", "/partners/{id}/suspension", "partners", admin.post_suspension, None, acm1.Partner),
    Served("POST", "/partners/{id}/resumption", "partners", admin.post_resumption, None, acm1.Partner),
    Served("POST", "/partners/{id}/comparison", "partners", admin.post_comparison, None, acm1.Partner),
    Served("GET", "/partner-file", "partners-read", admin.get_partner_file, None, PartnerFile),
    Served("GET", "/server-identities", "identities-read", admin.get_identities, None, acm1.Identities),
    Served(
        "GET",
        "/server-identities/{version}",
        "identities-read",
        admin.get_identities_version,
        None,
        acm1.Identities,
    ),
    Served(
        "PUT", "/server-identities", "identities", admin.put_identities, acm1.NewIdentities, acm1.Identities
    ),
    Served("GET", "/policy", "policy-read", admin.get_policy, None, acm1.Policy),
    Served("PUT", "/policy", "policy", admin.put_policy, acm1.PolicyInput, acm1.Policy),
    Served("POST", "/policy/check", "policy-read", admin.post_policy_check, acm1.PolicyInput, acm1.Policy),
    Served("GET", "/accounts", "accounts", admin.get_accounts, None, acm1.Accounts),
    Served("POST", "/accounts", "accounts", admin.post_account, acm1.NewAccount, acm1.Account, 201),
    Served("POST", "/accounts/{name}/disablement", "accounts", admin.post_disablement, None, acm1.Account),
    Served("POST", "/partners/{id}/check", "links", operations.post_partner_check, None, acm1.Findings),
    Served("GET", "/outbox", "links", operations.get_outbox, None, acm1.OutboxPage),
    Served("POST", "/outbox/retry", "links", operations.post_retry, acm1.Retry, acm1.Retried),
    Served("GET", "/health", "health", operations.get_health, None, acm1.Health),
    Served(
        "POST", "/clock/confirmation", "clock", operations.post_clock_confirmation, None, acm1.ClockStanding
    ),
    Served("GET", "/audit", "audit", admin.get_audit, None, acm1.AuditPage),
    Served("GET", "/notices", "audit", admin.get_notices, None, acm1.NoticePage),
)
